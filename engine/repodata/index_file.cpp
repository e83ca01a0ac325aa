#include "repodata/index_file.hpp"

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstring>
#include <span>

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "base/filesystem.hpp"
#include "repodata/checksum.hpp"
#include "repodata/index_format.hpp"

namespace taipan::repodata {
namespace {

Error unusable() { return make_error(ErrorCode::parse, "this is no index file of this version of taipan"); }

} // namespace

struct IndexFile::State {
    std::string memory; ///< the bytes, unless they are mapped
    void* map = nullptr;
    std::size_t map_size = 0;
    std::string_view bytes;
    std::span<const NameEntry> names;
    std::span<const BlockEntry> blocks;
    std::string_view texts;
    IndexSource source;
    IndexInfo info;
    IndexCounters counters;

    State() = default;
    State(const State&) = delete;
    State& operator=(const State&) = delete;
    ~State() {
        if (map != nullptr) ::munmap(map, map_size);
    }
    [[nodiscard]] bool holds(const IndexText& text) const {
        return text.place <= texts.size() && text.size <= texts.size() - text.place;
    }
    [[nodiscard]] std::string_view text(const IndexText& text) const { return texts.substr(text.place, text.size); }
    [[nodiscard]] bool names_hold() const;
};

/// Every entry leads to a text and to blocks in the file, and they are sorted.
bool IndexFile::State::names_hold() const {
    for (std::size_t i = 0; i < names.size(); ++i) {
        const NameEntry& entry = names[i];
        if (!holds(entry.name) || entry.first_block > blocks.size() ||
            entry.blocks > blocks.size() - entry.first_block || (i > 0 && text(names[i - 1].name) >= text(entry.name)))
            return false;
    }
    return std::all_of(blocks.begin(), blocks.end(), [this](const BlockEntry& block) {
        return block.place <= bytes.size() && block.size <= bytes.size() - block.place;
    });
}

IndexFile::IndexFile(std::unique_ptr<State> state) : state_(std::move(state)) {}
IndexFile::IndexFile(IndexFile&&) noexcept = default;
IndexFile& IndexFile::operator=(IndexFile&&) noexcept = default;
IndexFile::~IndexFile() = default;

Result<IndexFile> IndexFile::open(const std::string& path) {
    const UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (!fd) return system_error(errno, "cannot open", path);
    return map(fd.get(), path);
}

Result<IndexFile> IndexFile::map(int fd, const std::string& path) {
    struct stat status {};
    if (::fstat(fd, &status) != 0) return system_error(errno, "cannot stat", path);
    if (!S_ISREG(status.st_mode) || status.st_size < static_cast<off_t>(sizeof(IndexHeader))) return unusable();
    auto state = std::make_unique<State>();
    state->map_size = static_cast<std::size_t>(status.st_size);
    void* const address = ::mmap(nullptr, state->map_size, PROT_READ, MAP_PRIVATE, fd, 0);
    if (address == MAP_FAILED) return system_error(errno, "cannot map", path); // NOLINT: the macro's own cast
    state->map = address;
    state->bytes = {static_cast<const char*>(address), state->map_size};
    return read(std::move(state));
}

Result<IndexFile> IndexFile::of_bytes(std::string bytes) {
    auto state = std::make_unique<State>();
    state->memory = std::move(bytes);
    state->bytes = state->memory;
    return read(std::move(state));
}

Result<IndexFile> IndexFile::read(std::unique_ptr<State> state) {
    std::string_view bytes = state->bytes;
    IndexHeader header;
    if (bytes.size() < sizeof header) return unusable();
    std::memcpy(&header, bytes.data(), sizeof header);
    if (header.magic != index_magic || header.version != index_version || header.byte_order != index_byte_order ||
        header.file_size != bytes.size() ||
        header.checksum != checksum(bytes.substr(0, offsetof(IndexHeader, checksum))))
        return unusable();
    if (header.names_place > bytes.size() || header.names_place % alignof(BlockEntry) != 0) return unusable();
    bytes.remove_prefix(header.names_place);
    if (header.names_checksum != checksum(bytes)) return unusable();
    const std::uint64_t names_size = std::uint64_t{header.names} * sizeof(NameEntry);
    const std::uint64_t blocks_size = std::uint64_t{header.blocks} * sizeof(BlockEntry);
    // Subtracted, not added: the sizes are the file's own words, and a sum could wrap around.
    if (names_size + blocks_size > bytes.size() || header.text_size != bytes.size() - names_size - blocks_size)
        return unusable();
    // The place was checked for alignment, and all sizes before the entries keep to it.
    state->names = {reinterpret_cast<const NameEntry*>(bytes.data()), header.names};
    state->blocks = {reinterpret_cast<const BlockEntry*>(bytes.data() + names_size), header.blocks};
    state->texts = bytes.substr(names_size + blocks_size);
    if (!state->holds(header.url) || !state->holds(header.base_url) || !state->holds(header.subdir)) return unusable();
    if (!state->names_hold()) return unusable();
    state->source = {std::string(state->text(header.url)), header.source_mtime_ns, header.source_size};
    state->info = {std::string(state->text(header.base_url)), std::string(state->text(header.subdir))};
    state->counters = {header.records, header.skipped, header.broken, header.removed};
    return IndexFile(std::move(state));
}

const IndexSource& IndexFile::source() const { return state_->source; }
const IndexInfo& IndexFile::info() const { return state_->info; }
const IndexCounters& IndexFile::counters() const { return state_->counters; }
std::size_t IndexFile::name_count() const { return state_->names.size(); }
std::string_view IndexFile::name(std::size_t at) const { return state_->text(state_->names[at].name); }

std::size_t IndexFile::lower_bound(std::string_view name) const {
    const auto found = std::lower_bound(
        state_->names.begin(), state_->names.end(), name,
        [this](const NameEntry& entry, std::string_view wanted) { return state_->text(entry.name) < wanted; });
    return static_cast<std::size_t>(found - state_->names.begin());
}

std::optional<std::size_t> IndexFile::find(std::string_view name) const {
    const std::size_t at = lower_bound(name);
    if (at == name_count() || this->name(at) != name) return std::nullopt;
    return at;
}

Result<std::vector<BlockReader>> IndexFile::blocks(std::size_t at) const {
    const NameEntry& entry = state_->names[at];
    std::vector<BlockReader> blocks;
    for (const BlockEntry& place : state_->blocks.subspan(entry.first_block, entry.blocks)) {
        const auto bytes = state_->bytes.substr(place.place, place.size);
        if (checksum(bytes) != place.checksum) return make_error(ErrorCode::parse, "the index file is damaged");
        TAIPAN_TRY(blocks.emplace_back(), BlockReader::open(bytes, name(at)));
        if (blocks.back().size() != place.records) return make_error(ErrorCode::parse, "the index file is damaged");
    }
    return blocks;
}

} // namespace taipan::repodata
