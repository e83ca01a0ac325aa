// Reading a packed cache: its list first, from the end of the file, then all entries at once, each by one worker; or,
// from a pipe, entry by entry as they arrive, each handed to a worker.
//
// A damaged entry is left out, the others are unpacked all the same, and the end is an error.

#include "flow/pack.hpp"

#include <algorithm>
#include <condition_variable>
#include <ctime>
#include <memory>
#include <mutex>

#include <fcntl.h>
#include <sys/stat.h>
#include <tbb/parallel_for_each.h>
#include <tbb/task_arena.h>
#include <tbb/task_group.h>

#include "base/byte_input.hpp"
#include "base/filesystem.hpp"
#include "cache/package_cache.hpp"
#include "extract/extract.hpp"
#include "flow/first_error.hpp"
#include "flow/pack_stream.hpp"
#include "flow/unpack_entry.hpp"

namespace taipan {

namespace {

constexpr std::uint64_t largest_list = std::uint64_t{256} << 20U;
constexpr int waiting_entries_per_worker = 8;

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

Error stopped() { return make_error(ErrorCode::cancelled, "stopped; what was unpacked before is whole"); }

Result<std::vector<PackedEntry>> read_list(int fd, std::uint64_t size, const std::string& file) {
    if (size < pack_footer_bytes) return cut_short(file);
    FileInput whole(fd, size);
    TAIPAN_TRY(const auto end, whole.read(size - pack_footer_bytes, pack_footer_bytes));
    const auto list = parse_pack_footer(end);
    const std::uint64_t before = size - pack_footer_bytes;
    if (!list || list->offset > before || list->size != before - list->offset) return cut_short(file);
    std::string text;
    RangeInput range(fd, size, *list);
    DigestingInput input(range, false);
    auto taken = extract_single_file(input, pack_list_name, largest_list, [&text](std::string_view piece) {
        text += piece;
        return Result<void>();
    });
    TAIPAN_TRY(const auto digests, input.finish());
    if (digests.sha256 != list->sha256)
        return make_error(ErrorCode::corrupt_package, "the list of entries is not as it was packed");
    if (!taken) return std::move(taken).error();
    return parse_pack_list(text, list->offset);
}

/// All entries of a file, by all workers.
Result<void> unpack_file(const Session& session, EntryUnpacker& unpacker, std::vector<PackedEntry> entries, int fd,
                         std::uint64_t size) {
    // The large ones first: none of them is begun when all else is done.
    std::stable_sort(entries.begin(), entries.end(),
                     [](const PackedEntry& a, const PackedEntry& b) { return a.range.size > b.range.size; });
    FirstError errors;
    tbb::task_arena arena(session.workers());
    arena.execute([&] {
        tbb::parallel_for_each(entries.begin(), entries.end(), [&](const PackedEntry& packed) {
            if (session.stop().stop_requested()) return;
            RangeInput range(fd, size, packed.range);
            errors.take(unpacker.make(packed, range));
        });
    });
    if (session.stop().stop_requested()) return stopped();
    return errors.result();
}

/// Counts entries that have come and are not unpacked yet, and lets nobody have too many of them.
class Waiting {
public:
    explicit Waiting(int most) : most_(most) {}
    void begin() {
        std::unique_lock guard(mutex_);
        changed_.wait(guard, [this] { return count_ < most_; });
        ++count_;
    }
    void end() {
        const std::scoped_lock guard(mutex_);
        --count_;
        changed_.notify_one();
    }

private:
    int most_, count_ = 0;
    std::mutex mutex_;
    std::condition_variable changed_;
};

/// Entry by entry, as they arrive. Returns how many bytes have come.
Result<std::uint64_t> unpack_stream(const Session& session, const PackageCache& cache, EntryUnpacker& unpacker,
                                    int fd) {
    PackStream stream(fd, session.stop().flag(), unpacker.budget(), cache.spool_directory());
    FirstError errors;
    Waiting waiting(session.workers() * waiting_entries_per_worker);
    tbb::task_arena arena(session.workers() + 1, 1); // a place is for this thread, which only reads
    tbb::task_group group;
    Result<void> read;
    while (true) {
        auto next = stream.next();
        if (!next) read = std::move(next).error();
        if (!next || !*next) break;
        const auto entry = std::make_shared<PackStream::Entry>(std::move(**next));
        waiting.begin();
        arena.execute([&] {
            group.run([&, entry] {
                if (!session.stop().stop_requested()) {
                    auto input = entry->body.input();
                    errors.take(input ? unpacker.make(entry->packed, **input) : Result<void>(std::move(input).error()));
                }
                waiting.end();
            });
        });
    }
    arena.execute([&] { group.wait(); });
    if (session.stop().stop_requested()) return stopped();
    TAIPAN_CHECK(std::move(read));
    TAIPAN_CHECK(errors.result());
    return stream.size();
}

Result<PackReport> read_pack_file(Session& session, const PackageCache& cache, const std::string& file,
                                  UnpackForm form) {
    const UniqueFd fd(::open(file.c_str(), O_RDONLY | O_CLOEXEC));
    struct stat status {};
    if (!fd || ::fstat(fd.get(), &status) != 0) return system_error(errno, "cannot read", file);
    if (!S_ISREG(status.st_mode)) {
        return make_error(ErrorCode::invalid_argument,
                          file + " is no file; a pack is read from its end, or with `-` from standard input");
    }
    const auto size = static_cast<std::uint64_t>(status.st_size);
    TAIPAN_TRY(auto entries, read_list(fd.get(), size, file).context("while reading " + file));
    EntryUnpacker unpacker(session, cache, form);
    auto unpacked = unpack_file(session, unpacker, std::move(entries), fd.get(), size);
    auto finished = unpacker.finish(); // what could be unpacked is of use nevertheless
    if (unpacked && !finished) unpacked = std::move(finished).error();
    TAIPAN_CHECK(
        std::move(unpacked).context("while unpacking " + file + "; what is in the cache can be used all the same"));
    PackReport report = *finished;
    report.pack_bytes = size;
    return report;
}

Result<PackageCache> open_cache(const Session& session) {
    raise_open_file_limit();
    TAIPAN_TRY(PackageCache cache, PackageCache::open(session.config().pkgs_dirs));
    cache.sweep_leftovers(std::time(nullptr)); // perhaps of an unpacking that was killed
    return cache;
}

} // namespace

Result<PackReport> read_pack(Session& session, const std::string& file, UnpackForm form) {
    TAIPAN_TRY(const PackageCache cache, open_cache(session));
    return read_pack_file(session, cache, file, form);
}

Result<PackReport> read_pack_stream(Session& session, int fd, UnpackForm form) {
    TAIPAN_TRY(const PackageCache cache, open_cache(session));
    EntryUnpacker unpacker(session, cache, form);
    TAIPAN_TRY(const std::uint64_t size, unpack_stream(session, cache, unpacker, fd));
    TAIPAN_TRY(PackReport report, unpacker.finish());
    report.pack_bytes = size;
    return report;
}

} // namespace taipan
