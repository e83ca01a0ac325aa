// `taipan index`: from a folder of packages to a channel.
//
// Problem: a channel has thousands of large archives, of which few are new since the last time. Approach: what was read
// of an archive is kept in `<subdir>/.cache`, by name, size and modification time; the rest is read in parallel,
// digests and info/index.json in one pass. What must hold: one process at a time works on a folder (a lock); files are
// replaced by renaming, shards before their index, compressed forms before the plain one; the same packages give the
// same bytes.
#include "flow/index_folder.hpp"

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <set>

#include <fcntl.h>
#include <sys/stat.h>
#include <tbb/parallel_for.h>
#include <tbb/task_arena.h>

#include "base/byte_input.hpp"
#include "base/filesystem.hpp"
#include "extract/info_texts.hpp"
#include "flow/first_error.hpp"
#include "model/channel.hpp"
#include "model/record.hpp"
#include "repodata/cache_state.hpp"
#include "repodata/channel_documents.hpp"
#include "repodata/channel_files.hpp"
#include "repodata/patch_instructions.hpp"

namespace taipan {

namespace {

constexpr double lock_patience_seconds = 600;
constexpr std::int64_t second_ns = 1'000'000'000;
constexpr std::string_view cache_name = ".cache/taipan-index.jsonl";

/// An archive of the folder as the directory has it.
struct ArchiveFile {
    std::string fn;
    std::uint64_t size = 0;
    std::int64_t mtime_ns = 0;
};

Result<ArchiveFile> stat_archive(int fd, std::string_view fn, const std::string& path) {
    struct stat status {};
    if (::fstat(fd, &status) != 0) return system_error(errno, "cannot read", path);
    if (!S_ISREG(status.st_mode)) return make_error(ErrorCode::io, "cannot read " + path + ": it is no regular file");
    return ArchiveFile{std::string(fn), static_cast<std::uint64_t>(status.st_size),
                       status.st_mtim.tv_sec * second_ns + status.st_mtim.tv_nsec};
}

/// Reads one archive: what it says of itself, and its digests.
Result<ChannelPackage> read_archive(const std::string& directory, const std::string& fn, std::string_view subdir) {
    const std::string path = directory + '/' + fn;
    const UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (!fd) return system_error(errno, "cannot read", path);
    TAIPAN_TRY(const ArchiveFile before, stat_archive(fd.get(), fn, path));
    FileInput input(fd.get(), before.size);
    TAIPAN_TRY(const InfoTexts texts, read_info_texts(input, *archive_format(fn)));
    DigestingInput digesting(input, true);
    TAIPAN_TRY(auto digests, digesting.finish());
    TAIPAN_TRY(const ArchiveFile after, stat_archive(fd.get(), fn, path));
    if (before.size != after.size || before.mtime_ns != after.mtime_ns)
        return make_error(ErrorCode::io, "it changed while it was read; index the folder again when it is complete");
    const ArchiveFacts facts{before.size, before.mtime_ns, std::move(digests.md5), std::move(digests.sha256)};
    return make_channel_package(fn, subdir, facts, texts.index_json, texts.run_exports_json);
}

/// Works on one subdir.
class SubdirIndexer {
public:
    SubdirIndexer(Session& session, const IndexFolderRequest& request, std::string subdir)
        : session_(session), request_(request), directory_(request.folder + '/' + subdir) {
        report_.subdir = subdir;
        documents_.subdir = std::move(subdir);
        documents_.base_url = request.base_url;
    }

    /// Finds out what is there; nothing is written.
    Result<void> read();
    Result<IndexedSubdir> write();
    [[nodiscard]] const IndexedSubdir& report() const { return report_; }

private:
    Result<std::vector<std::string>> archives_to_read();
    Result<void> read_archives(const std::vector<std::string>& files);
    Result<void> patch();
    Result<void> write_shards();
    [[nodiscard]] std::string created_at() const;
    /// Notes the file when its content was another.
    Result<void> replace(const std::string& name, std::string_view content);
    Result<void> remove(const std::string& name);

    Session& session_;
    const IndexFolderRequest& request_;
    std::string directory_;
    ChannelPackages packages_; ///< as read, unpatched
    ChannelSubdir documents_;
    std::string cache_before_;
    bool patched_ = false;
    IndexedSubdir report_;
};

Result<std::vector<std::string>> SubdirIndexer::archives_to_read() {
    ChannelPackages known;
    const std::string cache = directory_ + '/' + std::string(cache_name);
    if (exists(cache)) {
        if (auto text = read_file(cache)) cache_before_ = std::move(*text);
        if (request_.use_cache) known = read_index_cache(cache_before_);
    }
    std::vector<std::string> files;
    TAIPAN_TRY(const auto names, list_directory(directory_));
    for (const auto& fn : names) {
        if (fn.starts_with('.') || !archive_format(fn)) continue;
        const auto found = known.find(fn);
        struct stat status {};
        const bool same = found != known.end() && ::stat((directory_ + '/' + fn).c_str(), &status) == 0 &&
                          static_cast<std::uint64_t>(status.st_size) == found->second.size &&
                          status.st_mtim.tv_sec * second_ns + status.st_mtim.tv_nsec == found->second.mtime_ns;
        if (same)
            packages_.insert(known.extract(found));
        else
            files.push_back(fn);
    }
    report_.gone = static_cast<std::size_t>(std::count_if(known.begin(), known.end(), [&](const auto& entry) {
        return !std::binary_search(names.begin(), names.end(), entry.first);
    }));
    return files;
}

Result<void> SubdirIndexer::read_archives(const std::vector<std::string>& files) {
    std::vector<std::optional<Result<ChannelPackage>>> slots(files.size());
    Span span(session_.sink(), Stage::index, report_.subdir);
    std::atomic<std::uint64_t> done = 0;
    tbb::parallel_for(std::size_t{0}, files.size(), [&](std::size_t i) {
        if (session_.stop().stop_requested()) return;
        slots[i] = read_archive(directory_, files[i], report_.subdir);
        if (*slots[i]) session_.sink().advance(Stage::index, report_.subdir, done += (*slots[i])->size);
    });
    if (session_.stop().stop_requested()) return make_error(ErrorCode::cancelled, "the indexing was interrupted");
    for (std::size_t i = 0; i < files.size(); ++i) {
        if (*slots[i]) {
            packages_.insert_or_assign(files[i], std::move(**slots[i]));
            ++report_.read;
        } else {
            report_.unusable.push_back({report_.subdir + '/' + files[i], slots[i]->error()});
        }
    }
    span.succeed();
    return {};
}

Result<void> SubdirIndexer::patch() {
    documents_.packages = packages_;
    const std::string path = directory_ + "/patch_instructions.json";
    if (!exists(path)) return {};
    TAIPAN_TRY(const std::string text, read_file(path));
    auto instructions = read_patch_instructions(text);
    if (!instructions) return std::move(instructions).context("while reading " + path).error();
    documents_.removed = apply_patch_instructions(*instructions, documents_.packages);
    report_.removed = documents_.removed.size();
    patched_ = true;
    return {};
}

Result<void> SubdirIndexer::read() {
    if (is_directory(directory_)) {
        TAIPAN_TRY(const auto files, archives_to_read());
        TAIPAN_CHECK(read_archives(files));
        TAIPAN_CHECK(patch());
    }
    report_.packages = documents_.packages.size();
    return {};
}

Result<void> SubdirIndexer::replace(const std::string& name, std::string_view content) {
    TAIPAN_TRY(const bool changed, replace_if_different(directory_ + '/' + name, content));
    if (changed) report_.written.push_back(report_.subdir + '/' + name);
    return {};
}

Result<void> SubdirIndexer::remove(const std::string& name) {
    const std::string path = directory_ + '/' + name;
    if (!exists(path)) return {};
    TAIPAN_CHECK(remove_tree(path));
    session_.sink().note(Severity::info, "removed " + path + ": it would tell of an older state");
    return {};
}

/// The moment of the newest package, so that an index without news does not change.
std::string SubdirIndexer::created_at() const {
    if (request_.source_date_epoch) return format_utc_timestamp(*request_.source_date_epoch * second_ns);
    std::int64_t newest = 0;
    for (const auto& [fn, package] : documents_.packages) newest = std::max(newest, package.mtime_ns);
    return format_utc_timestamp(newest);
}

Result<void> SubdirIndexer::write_shards() {
    const std::string index_name(shard_index_name);
    if (!request_.shards && !exists(directory_ + '/' + index_name)) return {};
    const auto names = shard_names(documents_);
    std::vector<ShardDocument> shards(names.size());
    FirstError failure;
    tbb::parallel_for(std::size_t{0}, names.size(), [&](std::size_t i) {
        failure.take([&]() -> Result<void> {
            TAIPAN_TRY(shards[i], make_shard(documents_, names[i]));
            return {};
        }());
    });
    TAIPAN_CHECK(failure.result());
    TAIPAN_TRY(const std::string index, shard_index_document(documents_, shards, created_at()));
    ShardFolder folder(directory_);
    TAIPAN_CHECK(folder.add(shards));
    const std::size_t written = report_.written.size();
    TAIPAN_CHECK(replace(index_name, index));
    return report_.written.size() == written ? Result<void>{} : folder.prune(shards);
}

Result<IndexedSubdir> SubdirIndexer::write() {
    TAIPAN_CHECK(make_directories(directory_ + "/.cache"));
    const std::string cache = write_index_cache(packages_);
    if (cache != cache_before_) TAIPAN_CHECK(write_file_atomic(directory_ + '/' + std::string(cache_name), cache));
    TAIPAN_CHECK(write_shards());
    const std::string repodata = repodata_document(documents_);
    if (request_.run_exports) TAIPAN_CHECK(replace("run_exports.json", run_exports_document(documents_)));
    if (request_.zst) {
        TAIPAN_TRY(const bool changed, replace_zst_if_different(directory_ + "/repodata.json.zst", repodata));
        if (changed) report_.written.push_back(report_.subdir + "/repodata.json.zst");
    } else {
        TAIPAN_CHECK(remove("repodata.json.zst"));
    }
    if (patched_) {
        ChannelSubdir unpatched{documents_.subdir, packages_, {}, documents_.base_url};
        TAIPAN_CHECK(replace("repodata_from_packages.json", repodata_document(unpatched)));
    }
    TAIPAN_CHECK(replace("repodata.json", repodata));
    // Other indexers' forms of the same list, which clients would prefer or fall back to.
    for (const char* other : {"current_repodata.json", "current_repodata.json.zst", "current_repodata.json.bz2",
                              "repodata.json.bz2", "repodata.json.gz"})
        TAIPAN_CHECK(remove(other));
    return std::move(report_);
}

Result<std::vector<std::string>> subdirs_of(const IndexFolderRequest& request) {
    std::set<std::string> subdirs(request.subdirs.begin(), request.subdirs.end());
    TAIPAN_TRY(const auto names, list_directory(request.folder));
    for (const auto& name : names) {
        if (archive_format(name))
            return make_error(ErrorCode::invalid_argument,
                              request.folder + '/' + name +
                                  " lies beside the platform folders; a channel has its packages in folders like "
                                  "linux-64 and noarch");
        if (request.subdirs.empty() && is_known_subdir(name) && is_directory(request.folder + '/' + name))
            subdirs.insert(name);
    }
    subdirs.insert("noarch");
    return std::vector<std::string>(subdirs.begin(), subdirs.end());
}

Result<void> check_usable(const std::vector<SubdirIndexer>& indexers, bool strict) {
    std::size_t usable = 0;
    std::string unusable;
    for (const auto& indexer : indexers) {
        usable += indexer.report().packages + indexer.report().removed;
        for (const auto& package : indexer.report().unusable)
            unusable += "\n  - " + package.path + ": " + package.error.message;
    }
    if (unusable.empty() || (usable != 0 && !strict)) return {};
    return make_error(ErrorCode::corrupt_package,
                      "These packages cannot be indexed, so nothing was written:" + unusable);
}

} // namespace

Result<std::vector<IndexedSubdir>> index_folder(Session& session, const IndexFolderRequest& request) {
    if (!is_directory(request.folder))
        return make_error(ErrorCode::invalid_argument, "there is no directory " + request.folder + " to index");
    TAIPAN_TRY(const auto subdirs, subdirs_of(request));
    TAIPAN_TRY(const FileLock lock, FileLock::acquire(request.folder + "/.taipan-index.lock", lock_patience_seconds));
    std::vector<SubdirIndexer> indexers;
    for (const auto& subdir : subdirs) indexers.emplace_back(session, request, subdir);
    std::vector<IndexedSubdir> reports;
    Result<void> done = {};
    tbb::task_arena arena(session.workers());
    arena.execute([&] {
        done = [&]() -> Result<void> {
            for (auto& indexer : indexers) TAIPAN_CHECK(indexer.read());
            TAIPAN_CHECK(check_usable(indexers, request.strict));
            FirstError failure;
            reports.resize(indexers.size());
            tbb::parallel_for(std::size_t{0}, indexers.size(), [&](std::size_t i) {
                failure.take([&]() -> Result<void> {
                    TAIPAN_TRY(reports[i], indexers[i].write());
                    return {};
                }());
            });
            return failure.result();
        }();
    });
    TAIPAN_CHECK(std::move(done));
    return reports;
}

} // namespace taipan
