// What must hold: the pack may come from anywhere, so nothing in it is believed before the digests of its parts were
// compared, names are those that entries of a cache can have, and trees are written by what extracts packages. Entries
// appear by rename, as everywhere in the cache. What an archive claims to be is not judged here: whoever installs it
// compares its digest with the index, and where it was extracted, the record says which digest it had.

#include "flow/unpack_entry.hpp"

#include <chrono>
#include <functional>
#include <optional>
#include <thread>

#include <fcntl.h>
#include <sys/stat.h>

#include "flow/cached_package.hpp"
#include "flow/explicit.hpp"
#include "flow/package_digests.hpp"
#include "model/record_json.hpp"

namespace taipan {

namespace {

constexpr std::uint64_t largest_record = std::uint64_t{64} << 20U;
constexpr std::uint64_t largest_file = std::uint64_t{64} << 30U;
constexpr std::chrono::milliseconds lock_poll_interval{20};
constexpr std::chrono::minutes lock_patience{20};

using TakePiece = std::function<Result<void>(std::string_view)>;

Error not_as_packed(const std::string& name) {
    return make_error(ErrorCode::corrupt_package, name + " is not as it was packed: its bytes have changed");
}

/// Reads by `read`, digesting in passing where the entry has a digest. That it is another one weighs more than what was
/// found wrong on the way.
template <typename Value>
Result<Value> read_as_packed(const PackedEntry& packed, ByteInput& input,
                             const std::function<Result<Value>(ByteInput&)>& read) {
    if (packed.range.sha256.empty()) return read(input);
    DigestingInput digesting(input, false);
    auto value = read(digesting);
    if (!value && value.error().code != ErrorCode::corrupt_package) return value;
    TAIPAN_TRY(const auto digests, digesting.finish());
    if (digests.sha256 != packed.range.sha256) return not_as_packed(packed.entry.name);
    return value;
}

/// The content of a lone file.
Result<SingleFile> read_file_entry(const PackedEntry& packed, ByteInput& input, const TakePiece& take) {
    return read_as_packed<SingleFile>(packed, input, [&](ByteInput& bytes) {
        return extract_single_file(bytes, packed.entry.name, largest_file, take);
    });
}

constexpr std::string_view state_suffix = ".info.json";

/// The state file of the index that this file belongs to.
std::string state_of(const std::string& path) {
    const std::size_t file = path.size() - base_name(path).size();
    return path.substr(0, path.find('.', file)) + std::string(state_suffix);
}

Result<void> set_times(int fd, const timespec& modified, const std::string& path) {
    const timespec times[2] = {modified, modified};
    if (::futimens(fd, times) != 0) return system_error(errno, "cannot set the time of", path);
    return {};
}

} // namespace

Result<void> EntryUnpacker::make(const PackedEntry& packed, ByteInput& input) {
    Span span(session_.sink(), Stage::extract, packed.entry.name, packed.range.size);
    auto made = make_any(packed, input);
    if (!made) {
        const std::scoped_lock guard(mutex_);
        if (packed.entry.kind == CacheEntryKind::index) incomplete_.insert(state_of(destination(packed)));
        return std::move(made).context("while unpacking " + packed.entry.name).error();
    }
    span.succeed();
    const std::scoped_lock guard(mutex_);
    auto& part = report_.parts[static_cast<std::size_t>(packed.entry.kind)];
    ++part.entries;
    part.bytes += packed.range.size;
    if (!*made) ++report_.already_there;
    return {};
}

/// False when the cache has it already.
Result<bool> EntryUnpacker::make_any(const PackedEntry& packed, ByteInput& input) {
    switch (packed.entry.kind) {
    case CacheEntryKind::archive:
        // Where it came from is a part of what an extracted package says of itself.
        if (form_ == UnpackForm::extracted && !packed.url.empty()) return extract_archive(packed, input);
        return make_archive(packed, input);
    case CacheEntryKind::package: return make_package(packed, input);
    case CacheEntryKind::bytecode: return make_bytecode(packed, input);
    case CacheEntryKind::index: return make_index_file(packed, input);
    }
    return false;
}

/// Nobody else makes this package meanwhile. `fn`: of its archive.
Result<PackageLock> EntryUnpacker::lock(const std::string& fn) {
    PackageRecord record;
    record.fn = fn;
    const auto deadline = std::chrono::steady_clock::now() + lock_patience;
    while (!session_.stop().stop_requested()) {
        if (auto lock = cache_.try_lock(record)) return std::move(*lock);
        if (std::chrono::steady_clock::now() > deadline) {
            return make_error(ErrorCode::locked, "another process has been making " + fn +
                                                     " in the cache for too long; end it, then try again");
        }
        std::this_thread::sleep_for(lock_poll_interval);
    }
    return make_error(ErrorCode::cancelled, "stopped");
}

Result<bool> EntryUnpacker::make_archive(const PackedEntry& packed, ByteInput& input) {
    TAIPAN_TRY(const auto held, lock(packed.entry.name));
    if (exists(destination(packed))) return false;
    TAIPAN_TRY(auto file, AtomicFile::create(destination(packed)));
    TAIPAN_TRY([[maybe_unused]] const auto content,
               read_file_entry(packed, input, [&file](std::string_view piece) { return file.write(piece); }));
    TAIPAN_CHECK(file.commit());
    if (!packed.url.empty()) TAIPAN_CHECK(cache_.note_url(packed.url));
    return true;
}

/// The package of an archive, as it is after an installation, but without the archive.
Result<bool> EntryUnpacker::extract_archive(const PackedEntry& packed, ByteInput& input) {
    PackageRecord record;
    TAIPAN_CHECK(complete_from_url(record, packed.url, session_.config()));
    if (record.fn != packed.entry.name) {
        return make_error(ErrorCode::corrupt_package, "it came from " + packed.url + ", which is another file");
    }
    TAIPAN_TRY(const auto held, lock(record.fn));
    if (exists(cache_.extracted_path(record) + "/info/index.json")) return false;
    TAIPAN_TRY(Body archive, Body::open(budget_, cache_.spool_directory(), packed.range.size));
    PackedEntry once = packed; // the archive's own digest is taken below, which is enough
    if (!once.content_sha256.empty()) once.range.sha256.clear();
    TAIPAN_TRY([[maybe_unused]] const auto file,
               read_file_entry(once, input, [&archive](std::string_view piece) { return archive.append(piece); }));
    TAIPAN_CHECK(archive.flush());
    TAIPAN_TRY(const auto bytes, archive.input());
    const auto format = archive_format(record.fn);
    if (!format) return make_error(ErrorCode::corrupt_package, "it is no package");
    DigestingInput digesting(*bytes, *format == ArchiveFormat::tar_bz2); // old indexes know the md5 only
    TAIPAN_TRY(StagedDirectory staged, cache_.stage(record));
    auto unpacked = extract_package(contexts_.local(), digesting, *format, staged.fd(), session_.stop().flag());
    if (!unpacked && unpacked.error().code != ErrorCode::corrupt_package) return std::move(unpacked).error();
    TAIPAN_TRY(const auto digests, digesting.finish());
    if (!packed.content_sha256.empty() && digests.sha256 != packed.content_sha256) {
        return not_as_packed(packed.entry.name);
    }
    TAIPAN_TRY(ExtractedPackage content, std::move(unpacked));
    complete_digests(digests, archive.size(), record);
    CachedPackage package{0, std::move(record), {}, linker_texts(std::move(content.info)), content.contained, {}, {}};
    PlannedPackage planned;
    planned.from_url = true;
    TAIPAN_CHECK(complete(package, planned));
    const KnownPackage known{package.contained, {}, package.info.paths_json, package.info.link_json};
    TAIPAN_CHECK(cache_.publish_extracted(std::move(staged), package.record, known));
    TAIPAN_CHECK(cache_.note_url(packed.url));
    return true;
}

/// An index is recognised by its time. Its files fit each other only, so one that the cache has stays as a whole; its
/// state comes last.
Result<bool> EntryUnpacker::make_index_file(const PackedEntry& packed, ByteInput& input) {
    const std::string path = destination(packed);
    struct stat status {};
    // An empty file is no more than somebody's lock.
    if (::stat(state_of(path).c_str(), &status) == 0 && status.st_size > 0) return false;
    TAIPAN_CHECK(make_directories(std::string(parent_path(path))));
    if (path.ends_with(state_suffix)) {
        State state{path, {}, {}};
        TAIPAN_TRY(const auto content, read_file_entry(packed, input, [&state](std::string_view piece) -> Result<void> {
                       if (state.text.size() + piece.size() > largest_record) {
                           return make_error(ErrorCode::corrupt_package, "it is no state of an index");
                       }
                       state.text += piece;
                       return {};
                   }));
        state.modified = content.modified;
        const std::scoped_lock guard(mutex_);
        states_.push_back(std::move(state));
        return true;
    }
    TAIPAN_TRY(auto file, AtomicFile::create(path));
    TAIPAN_TRY(const auto content,
               read_file_entry(packed, input, [&file](std::string_view piece) { return file.write(piece); }));
    TAIPAN_CHECK(set_times(file.fd(), content.modified, path));
    TAIPAN_CHECK(file.commit());
    return true;
}

Result<PackReport> EntryUnpacker::finish() {
    for (const State& state : states_) {
        if (incomplete_.contains(state.path)) continue;
        TAIPAN_TRY(auto file, AtomicFile::create(state.path));
        TAIPAN_CHECK(file.write(state.text));
        TAIPAN_CHECK(set_times(file.fd(), state.modified, state.path));
        TAIPAN_CHECK(file.commit());
    }
    states_.clear();
    return report_;
}

/// A tree of the pack, complete and as packed, in a place of its own.
Result<ExtractedPackage> EntryUnpacker::write_tree(const PackedEntry& packed, ByteInput& input,
                                                   const StagedDirectory& staged) {
    return read_as_packed<ExtractedPackage>(packed, input, [&](ByteInput& bytes) {
        return extract_tree(contexts_.local(), bytes, packed.entry.name, staged.fd(), session_.stop().flag());
    });
}

Result<PackageRecord> EntryUnpacker::record_of(const StagedDirectory& staged, const ExtractedPackage& content) const {
    const std::string name = "info/repodata_record.json";
    struct stat status {};
    if (content.info.index_json.empty() || ::fstatat(staged.fd(), name.c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0 ||
        !S_ISREG(status.st_mode)) {
        return make_error(ErrorCode::corrupt_package, "it is no extracted package of a cache");
    }
    TAIPAN_TRY(const auto text, read_file(staged.path() + '/' + name, largest_record));
    return parse_package_record(text, session_.config().channel_settings);
}

Result<bool> EntryUnpacker::make_package(const PackedEntry& packed, ByteInput& input) {
    // The lock goes by the name of the archive, whose extension is not known before: either is locked.
    TAIPAN_TRY(const auto held, lock(packed.entry.name + ".conda"));
    TAIPAN_TRY(const auto held_too, lock(packed.entry.name + ".tar.bz2"));
    if (exists(destination(packed) + "/info/index.json")) return false;
    TAIPAN_TRY(auto staged, StagedDirectory::create(cache_.writable_directory(), packed.entry.name));
    TAIPAN_TRY(auto content, write_tree(packed, input, staged));
    TAIPAN_TRY(const auto record, record_of(staged, content));
    if (record.dist_name() != packed.entry.name) {
        return make_error(ErrorCode::corrupt_package, "it is the package " + record.dist_name());
    }
    const KnownPackage known{content.contained, {}, content.info.paths_json, content.info.link_json};
    TAIPAN_CHECK(cache_.publish_extracted(std::move(staged), record, known));
    return true;
}

/// Entries are told apart by the package's hash, so one of this name is the same.
Result<bool> EntryUnpacker::make_bytecode(const PackedEntry& packed, ByteInput& input) {
    const std::string path = destination(packed), folder(parent_path(path));
    if (exists(path)) return false;
    TAIPAN_CHECK(make_directories(folder));
    TAIPAN_TRY(auto staged, StagedDirectory::create(folder, base_name(path)));
    TAIPAN_TRY([[maybe_unused]] const auto content, write_tree(packed, input, staged));
    TAIPAN_CHECK(staged.commit(path));
    return true;
}

} // namespace taipan
