// Reading a packed cache: its list first, from the end of the file, then all entries at once, each by one worker.
//
// What must hold: the pack may come from anywhere, so nothing in it is believed before the digests of its parts were
// compared, names are those that entries of a cache can have, and trees are written by what extracts packages. Entries
// appear by rename, as everywhere in the cache. A damaged entry is left out, the others are unpacked all the same, and
// the end is an error. What an archive claims to be is not judged here: whoever installs it compares it with the index.

#include "flow/pack.hpp"

#include <algorithm>
#include <chrono>
#include <ctime>
#include <mutex>
#include <optional>
#include <set>
#include <thread>

#include <fcntl.h>
#include <sys/stat.h>
#include <tbb/enumerable_thread_specific.h>
#include <tbb/parallel_for_each.h>
#include <tbb/task_arena.h>

#include "base/byte_input.hpp"
#include "base/filesystem.hpp"
#include "cache/package_cache.hpp"
#include "extract/extract.hpp"
#include "flow/first_error.hpp"
#include "model/record_json.hpp"

namespace taipan {

namespace {

constexpr std::uint64_t largest_list = std::uint64_t{256} << 20U;
constexpr std::uint64_t largest_record = std::uint64_t{64} << 20U;
constexpr std::uint64_t largest_file = std::uint64_t{64} << 30U;
constexpr std::chrono::milliseconds lock_poll_interval{20};
constexpr std::chrono::minutes lock_patience{20};

/// A range of the pack file, as an input of its own.
class RangeInput final : public ByteInput {
public:
    RangeInput(int fd, std::uint64_t file_size, const PackedRange& range)
        : file_(fd, file_size), offset_(range.offset), size_(range.size) {}
    [[nodiscard]] std::uint64_t size() const override { return size_; }
    Result<std::string_view> read(std::uint64_t offset, std::size_t count) override {
        if (offset >= size_) return std::string_view();
        return file_.read(offset_ + offset, static_cast<std::size_t>(std::min<std::uint64_t>(count, size_ - offset)));
    }

private:
    FileInput file_;
    std::uint64_t offset_, size_;
};

Error cut_short(const std::string& file) {
    return make_error(ErrorCode::corrupt_package,
                      file + " is no whole pack of `taipan cache pack`: it was cut short, or made by another program; "
                             "fetch it again, or do without it");
}

Error not_as_packed(const std::string& name) {
    return make_error(ErrorCode::corrupt_package, name + " is not as it was packed: its bytes have changed");
}

class PackReading {
public:
    PackReading(Session& session, const PackageCache& cache, int fd, std::uint64_t size)
        : session_(session), cache_(cache), fd_(fd), size_(size) {}

    Result<std::vector<PackedEntry>> read_list(const std::string& file) {
        if (size_ < pack_footer_bytes) return cut_short(file);
        FileInput whole(fd_, size_);
        TAIPAN_TRY(const auto end, whole.read(size_ - pack_footer_bytes, pack_footer_bytes));
        const auto list = parse_pack_footer(end);
        const std::uint64_t before = size_ - pack_footer_bytes;
        if (!list || list->offset > before || list->size != before - list->offset) return cut_short(file);
        std::string text;
        RangeInput range(fd_, size_, *list);
        DigestingInput input(range, false);
        auto taken = extract_single_file(input, pack_list_name, largest_list, [&text](std::string_view piece) {
            text += piece;
            return Result<void>();
        });
        TAIPAN_TRY(const auto digests, input.finish());
        if (digests.sha256 != list->sha256) return not_as_packed("the list of entries");
        if (!taken) return std::move(taken).error();
        return parse_pack_list(text, list->offset);
    }

    Result<PackReport> unpack(std::vector<PackedEntry> entries) {
        find_kept_indexes(entries);
        // The large ones first: none of them is begun when all else is done.
        std::stable_sort(entries.begin(), entries.end(),
                         [](const PackedEntry& a, const PackedEntry& b) { return a.range.size > b.range.size; });
        tbb::task_arena arena(session_.workers());
        arena.execute([&] {
            tbb::parallel_for_each(entries.begin(), entries.end(), [this](const PackedEntry& packed) {
                if (session_.stop().stop_requested()) return;
                errors_.take(unpack(packed).context("while unpacking " + packed.entry.name));
            });
        });
        if (session_.stop().stop_requested()) {
            return make_error(ErrorCode::cancelled, "stopped; what was unpacked before is whole");
        }
        TAIPAN_CHECK(errors_.result());
        report_.pack_bytes = size_;
        return report_;
    }

private:
    Result<void> unpack(const PackedEntry& packed) {
        Span span(session_.sink(), Stage::extract, packed.entry.name, packed.range.size);
        TAIPAN_TRY(const bool made, make(packed));
        span.succeed();
        const std::scoped_lock guard(mutex_);
        auto& part = report_.parts[static_cast<std::size_t>(packed.entry.kind)];
        ++part.entries;
        part.bytes += packed.range.size;
        report_.already_there += made ? 0 : 1;
        return {};
    }

    /// False when the cache has it already.
    Result<bool> make(const PackedEntry& packed) {
        switch (packed.entry.kind) {
        case CacheEntryKind::archive: return make_archive(packed);
        case CacheEntryKind::package: return make_package(packed);
        case CacheEntryKind::bytecode: return make_bytecode(packed);
        case CacheEntryKind::index: return make_index_file(packed);
        }
        return false;
    }

    [[nodiscard]] std::string destination(const PackedEntry& packed) const {
        return cache_.writable_directory() + '/' + packed.entry.name;
    }

    /// Nobody else makes this package meanwhile. `fn`: of its archive.
    Result<PackageLock> lock(const std::string& fn) {
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

    /// A file of the pack, complete and as packed, but under another name as yet.
    Result<SingleFile> write_file(const PackedEntry& packed, AtomicFile& file) {
        RangeInput range(fd_, size_, packed.range);
        DigestingInput input(range, false);
        auto taken = extract_single_file(input, packed.entry.name, largest_file,
                                         [&file](std::string_view piece) { return file.write(piece); });
        if (!taken && taken.error().code != ErrorCode::corrupt_package) return std::move(taken).error();
        TAIPAN_TRY(const auto digests, input.finish());
        if (digests.sha256 != packed.range.sha256) return not_as_packed(packed.entry.name);
        return taken;
    }

    Result<bool> make_archive(const PackedEntry& packed) {
        TAIPAN_TRY(const auto held, lock(packed.entry.name));
        if (exists(destination(packed))) return false;
        TAIPAN_TRY(auto file, AtomicFile::create(destination(packed)));
        TAIPAN_TRY(const auto content, write_file(packed, file));
        static_cast<void>(content);
        TAIPAN_CHECK(file.commit());
        if (!packed.url.empty()) TAIPAN_CHECK(cache_.note_url(packed.url));
        return true;
    }

    /// What belongs to one index: the repodata, its state, and what was made of it.
    [[nodiscard]] static std::string index_of(const std::string& name) {
        const std::size_t file = name.size() - base_name(name).size();
        return name.substr(0, name.find('.', file));
    }

    /// The files of an index fit each other only, so an index that the cache has stays as a whole. An empty file is no
    /// more than somebody's lock.
    void find_kept_indexes(const std::vector<PackedEntry>& entries) {
        for (const auto& packed : entries) {
            struct stat status {};
            if (packed.entry.kind != CacheEntryKind::index) continue;
            if (::stat(destination(packed).c_str(), &status) == 0 && status.st_size > 0)
                kept_indexes_.insert(index_of(packed.entry.name));
        }
    }

    /// An index is recognised by its time.
    Result<bool> make_index_file(const PackedEntry& packed) {
        const std::string path = destination(packed);
        TAIPAN_CHECK(make_directories(std::string(parent_path(path))));
        if (kept_indexes_.contains(index_of(packed.entry.name))) return false;
        TAIPAN_TRY(auto file, AtomicFile::create(path));
        TAIPAN_TRY(const auto content, write_file(packed, file));
        const timespec times[2] = {content.modified, content.modified};
        if (::futimens(file.fd(), times) != 0) return system_error(errno, "cannot set the time of", path);
        TAIPAN_CHECK(file.commit());
        return true;
    }

    /// A tree of the pack, complete and as packed, in a place of its own.
    Result<ExtractedPackage> write_tree(const PackedEntry& packed, const StagedDirectory& staged) {
        RangeInput range(fd_, size_, packed.range);
        DigestingInput input(range, false);
        auto content = extract_tree(contexts_.local(), input, packed.entry.name, staged.fd(), session_.stop().flag());
        if (!content && content.error().code != ErrorCode::corrupt_package) return std::move(content).error();
        TAIPAN_TRY(const auto digests, input.finish());
        if (digests.sha256 != packed.range.sha256) return not_as_packed(packed.entry.name);
        return content;
    }

    Result<PackageRecord> record_of(const StagedDirectory& staged, const ExtractedPackage& content) const {
        const std::string name = "info/repodata_record.json";
        struct stat status {};
        if (content.info.index_json.empty() ||
            ::fstatat(staged.fd(), name.c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0 || !S_ISREG(status.st_mode)) {
            return make_error(ErrorCode::corrupt_package, "it is no extracted package of a cache");
        }
        TAIPAN_TRY(const auto text, read_file(staged.path() + '/' + name, largest_record));
        return parse_package_record(text, session_.config().channel_settings);
    }

    Result<bool> make_package(const PackedEntry& packed) {
        // The lock goes by the name of the archive, whose extension is not known before: either is locked.
        TAIPAN_TRY(const auto held, lock(packed.entry.name + ".conda"));
        TAIPAN_TRY(const auto held_too, lock(packed.entry.name + ".tar.bz2"));
        if (exists(destination(packed) + "/info/index.json")) return false;
        TAIPAN_TRY(auto staged, StagedDirectory::create(cache_.writable_directory(), packed.entry.name));
        TAIPAN_TRY(auto content, write_tree(packed, staged));
        TAIPAN_TRY(const auto record, record_of(staged, content));
        if (record.dist_name() != packed.entry.name) {
            return make_error(ErrorCode::corrupt_package, "it is the package " + record.dist_name());
        }
        const KnownPackage known{content.contained, {}, content.info.paths_json, content.info.link_json};
        TAIPAN_CHECK(cache_.publish_extracted(std::move(staged), record, known));
        return true;
    }

    /// Entries are told apart by the package's hash, so one of this name is the same.
    Result<bool> make_bytecode(const PackedEntry& packed) {
        const std::string path = destination(packed), folder(parent_path(path));
        if (exists(path)) return false;
        TAIPAN_CHECK(make_directories(folder));
        TAIPAN_TRY(auto staged, StagedDirectory::create(folder, base_name(path)));
        TAIPAN_TRY(const auto content, write_tree(packed, staged));
        static_cast<void>(content);
        TAIPAN_CHECK(staged.commit(path));
        return true;
    }

    Session& session_;
    const PackageCache& cache_;
    int fd_;
    std::uint64_t size_;
    tbb::enumerable_thread_specific<ExtractContext> contexts_;
    FirstError errors_;
    std::mutex mutex_;
    std::set<std::string> kept_indexes_;
    PackReport report_; ///< guarded by mutex_
};

} // namespace

Result<PackReport> read_pack(Session& session, const std::string& file) {
    raise_open_file_limit();
    const UniqueFd fd(::open(file.c_str(), O_RDONLY | O_CLOEXEC));
    struct stat status {};
    if (!fd || ::fstat(fd.get(), &status) != 0) return system_error(errno, "cannot read", file);
    if (!S_ISREG(status.st_mode)) {
        return make_error(ErrorCode::invalid_argument, file + " is no file; a pack is read from its end");
    }
    TAIPAN_TRY(const PackageCache cache, PackageCache::open(session.config().pkgs_dirs));
    cache.sweep_leftovers(std::time(nullptr)); // perhaps of an unpacking that was killed
    PackReading reading(session, cache, fd.get(), static_cast<std::uint64_t>(status.st_size));
    TAIPAN_TRY(auto entries, reading.read_list(file).context("while reading " + file));
    return reading.unpack(std::move(entries))
        .context("while unpacking " + file + "; what is in the cache can be used all the same");
}

} // namespace taipan
