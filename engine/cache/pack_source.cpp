// Problem: a cache of 200,000 small files is to become one file, the same each time, as fast as the disk reads.
// Approach: one thread walks through the files in the order of their names and writes the tar into a buffer, which is
// handed out in pieces that other threads compress. Archives are compressed already: their bytes
// are only framed (zstd's raw blocks), which costs a copy.
// What must hold: a piece ends with its entry, so that an entry is a row of whole frames.

#include "cache/pack_source.hpp"

#include <algorithm>
#include <cerrno>
#include <utility>

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zstd.h>

#include "base/digest.hpp"
#include "base/filesystem.hpp"
#include "base/tar_header.hpp"
#include "cache/pack_format.hpp"

namespace taipan {

namespace {

constexpr std::size_t read_bytes = std::size_t{256} << 10U;
constexpr std::size_t raw_block_bytes = std::size_t{128} << 10U;
constexpr int compression_level = 3;
constexpr mode_t permissions = 0777;

struct EncoderDeleter {
    void operator()(ZSTD_CCtx* context) const { ZSTD_freeCCtx(context); }
};

/// A member of the tar to be.
struct Member {
    std::string source; ///< on disk
    std::string path;   ///< in the tar
    struct stat status {};
};

Result<std::vector<std::string>> sorted_names(const std::string& directory) {
    DIR* const stream = ::opendir(directory.c_str());
    if (stream == nullptr) return system_error(errno, "cannot read directory", directory);
    std::vector<std::string> names;
    while (const dirent* entry = ::readdir(stream)) { // NOLINT(concurrency-mt-unsafe): own stream
        const std::string_view name(entry->d_name);
        if (name != "." && name != "..") names.emplace_back(name);
    }
    ::closedir(stream);
    std::sort(names.begin(), names.end());
    return names;
}

/// Files, links and directories of a tree, directories before what is in them. Devices and pipes are no content.
Result<void> walk(const std::string& source, const std::string& path, std::vector<Member>& members) {
    Member member{source, path, {}};
    if (::lstat(source.c_str(), &member.status) != 0) return system_error(errno, "cannot read", source);
    const mode_t kind = member.status.st_mode & S_IFMT;
    if (kind != S_IFREG && kind != S_IFLNK && kind != S_IFDIR) return {};
    members.push_back(std::move(member));
    if (kind != S_IFDIR) return {};
    TAIPAN_TRY(const auto names, sorted_names(source));
    for (const auto& name : names) TAIPAN_CHECK(walk(source + '/' + name, path + '/' + name, members));
    return {};
}

Error changed(const std::string& path) {
    return make_error(ErrorCode::io, path + " changed while it was packed; try again when nothing else uses the cache");
}

} // namespace

struct PackSource::State {
    const std::vector<PackInput>* inputs = nullptr;
    std::string buffer;    ///< the tar since the last chunk
    std::size_t input = 0; ///< the present one; after the last: how many there are
    bool inside = false;   ///< of it
    std::vector<Member> members;
    std::size_t member = 0;              ///< of `members`: the next one
    UniqueFd file;                       ///< the content that is being read
    std::uint64_t left = 0;              ///< so much of it is still to come
    Digest digest{Digest::Kind::sha256}; ///< of an archive, so far

    Result<void> begin_input();
    Result<void> begin_member();
    Result<void> read_on();
    Result<void> step();
    /// Of the present entry.
    [[nodiscard]] bool at_end() const { return left == 0 && member == members.size(); }
};

Result<void> PackSource::State::begin_input() {
    const PackInput& next = (*inputs)[input];
    members.clear();
    member = 0;
    TAIPAN_CHECK(walk(next.path, next.entry.name, members));
    // The directory is made by whoever unpacks it, and a lone file is no directory.
    const bool tree = next.entry.kind == CacheEntryKind::package || next.entry.kind == CacheEntryKind::bytecode;
    if (S_ISDIR(members.front().status.st_mode) != tree) return changed(next.path);
    inside = true;
    return {};
}

Result<void> PackSource::State::begin_member() {
    const Member& next = members[member++];
    const mode_t kind = next.status.st_mode & S_IFMT;
    TarHeader header;
    header.path = next.path;
    header.mode = next.status.st_mode & permissions;
    if (kind == S_IFREG) {
        file = UniqueFd(::open(next.source.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC));
        if (!file) return system_error(errno, "cannot read", next.source);
        left = header.size = static_cast<std::uint64_t>(next.status.st_size);
        if ((*inputs)[input].entry.kind != CacheEntryKind::archive) header.modified = next.status.st_mtim;
    } else if (kind == S_IFLNK) {
        header.kind = TarHeader::Kind::symlink;
        header.mode = permissions;
        header.target.resize(static_cast<std::size_t>(next.status.st_size) + 1);
        const ssize_t length = ::readlink(next.source.c_str(), header.target.data(), header.target.size());
        if (length < 0) return system_error(errno, "cannot read", next.source);
        if (length != next.status.st_size) return changed(next.source);
        header.target.resize(static_cast<std::size_t>(length));
    } else {
        header.kind = TarHeader::Kind::directory;
    }
    buffer += tar_header(header);
    return {};
}

Result<void> PackSource::State::read_on() {
    const std::size_t before = buffer.size();
    buffer.resize(before + static_cast<std::size_t>(std::min<std::uint64_t>(left, read_bytes)));
    const ssize_t got = ::read(file.get(), buffer.data() + before, buffer.size() - before);
    buffer.resize(before + static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
    if (got < 0 && errno == EINTR) return {};
    if (got < 0) return system_error(errno, "cannot read", members[member - 1].source);
    if (got == 0) return changed(members[member - 1].source);
    if ((*inputs)[input].entry.kind == CacheEntryKind::archive) {
        digest.update(std::string_view(buffer).substr(before));
    }
    left -= static_cast<std::uint64_t>(got);
    if (left == 0) buffer.append(tar_padding(static_cast<std::uint64_t>(members[member - 1].status.st_size)), '\0');
    return {};
}

/// A little more of the present entry.
Result<void> PackSource::State::step() {
    if (!inside) return begin_input();
    if (left > 0) return read_on();
    if (member < members.size()) return begin_member();
    inside = false;
    return {};
}

PackSource::PackSource(PackSource&&) noexcept = default;
PackSource& PackSource::operator=(PackSource&&) noexcept = default;
PackSource::~PackSource() = default;

PackSource::PackSource(const std::vector<PackInput>& inputs) : state_(std::make_unique<State>()) {
    state_->inputs = &inputs;
}

Result<std::optional<PackChunk>> PackSource::next() {
    State& state = *state_;
    while (state.input < state.inputs->size()) {
        const PackInput& input = (*state.inputs)[state.input];
        PackChunk chunk;
        chunk.input = state.input;
        chunk.stored = input.entry.kind == CacheEntryKind::archive;
        do {
            if (auto stepped = state.step(); !stepped) {
                return std::move(stepped).context("while packing " + input.entry.name).error();
            }
        } while (state.inside && (state.buffer.size() < pack_chunk_bytes || state.at_end()));
        chunk.bytes = std::exchange(state.buffer, {});
        chunk.last = !state.inside;
        if (chunk.last && input.entry.kind == CacheEntryKind::archive) {
            chunk.sha256 = state.digest.finish_hex();
        }
        if (!state.inside) ++state.input;
        if (!chunk.bytes.empty()) return std::optional(std::move(chunk));
    }
    return std::optional<PackChunk>();
}

std::string PackSource::finish(std::string_view list_json) {
    TarHeader header;
    header.path = pack_list_name;
    header.size = list_json.size();
    std::string end = tar_header(header) + std::string(list_json);
    end.append(tar_padding(list_json.size()), '\0');
    return end + tar_end();
}

namespace {

/// RFC 8878: a frame of raw blocks, with its content size and without a checksum.
std::string stored_frame(std::string_view bytes) {
    std::string frame("\x28\xB5\x2F\xFD\xA0", 5);
    const auto put = [&frame](std::size_t number, int count) {
        for (int i = 0; i < count; ++i) frame += static_cast<char>((number >> (8 * i)) & 0xFFU);
    };
    frame.reserve(bytes.size() + bytes.size() / 4096 + 64);
    put(bytes.size(), 4);
    do {
        const std::string_view block = bytes.substr(0, raw_block_bytes);
        bytes.remove_prefix(block.size());
        put((block.size() << 3U) | (bytes.empty() ? 1U : 0U), 3);
        frame += block;
    } while (!bytes.empty());
    return frame;
}

} // namespace

Result<std::string> pack_frame(std::string_view bytes, bool stored) {
    if (stored) return stored_frame(bytes);
    const std::unique_ptr<ZSTD_CCtx, EncoderDeleter> context(ZSTD_createCCtx());
    if (!context) return make_error(ErrorCode::internal, "not enough memory for a zstd encoder");
    std::string frame(ZSTD_compressBound(bytes.size()), '\0');
    const std::size_t size =
        ZSTD_compressCCtx(context.get(), frame.data(), frame.size(), bytes.data(), bytes.size(), compression_level);
    if (ZSTD_isError(size) != 0) {
        return make_error(ErrorCode::internal, std::string("zstd: ") + ZSTD_getErrorName(size));
    }
    frame.resize(size);
    return frame;
}

} // namespace taipan
