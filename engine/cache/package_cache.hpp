#pragma once

#include <ctime>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/filesystem.hpp"
#include "base/result.hpp"
#include "cache/cache_index.hpp"
#include "cache/cache_leftovers.hpp"
#include "model/record.hpp"

namespace taipan {

/// The right to make one package in a cache; given up by the destructor.
class PackageLock {
public:
    PackageLock() = default; ///< holds nothing
    PackageLock(std::shared_ptr<const RunLocks> locks, off_t byte) : locks_(std::move(locks)), byte_(byte) {}
    PackageLock(PackageLock&&) = default;
    PackageLock& operator=(PackageLock&& other) noexcept;
    PackageLock(const PackageLock&) = delete;
    PackageLock& operator=(const PackageLock&) = delete;
    ~PackageLock() { release(); }
    void release();

private:
    std::shared_ptr<const RunLocks> locks_;
    off_t byte_ = 0;
};

/// The shared package caches (conda-spec 2), in the flat layout that conda and mamba read:
/// `<fn>` as served, `<dist name>/` extracted, `urls.txt`. Entries appear by atomic rename only, so reading needs
/// no lock. All directories are searched, the first writable one receives new packages. What mamba (since 2.6) keeps in
/// a folder for each channel is found too.
class PackageCache {
public:
    /// Lies in each cache that was ever written to (conda-spec 2.1).
    static constexpr const char* magic_file = "urls.txt";

    /// Finds the first writable directory, creating it if needed. Fails when none can be written.
    static Result<PackageCache> open(const std::vector<std::string>& directories);
    /// For a run that leaves nothing in any of them: no directory is created, written or locked.
    static PackageCache open_for_reading(const std::vector<std::string>& directories);
    /// From here on packages are unpacked below `directory`, and belong to whoever has them unpacked: none is
    /// published.
    void unpack_into(std::string directory) { trees_ = std::move(directory); }

    /// Whether extracted packages appear in the cache, to stay.
    [[nodiscard]] bool keeps_trees() const { return trees_.empty(); }
    /// Whether downloaded archives do.
    [[nodiscard]] bool keeps_archives() const { return !writable_.empty(); }
    /// For what arrives and does not fit in memory.
    [[nodiscard]] const std::string& spool_directory() const { return keeps_archives() ? writable_ : trees_; }

    /// Where new packages go; empty if they are not kept.
    [[nodiscard]] const std::string& writable_directory() const { return writable_; }
    /// `<writable>/cache`, for repodata.
    [[nodiscard]] std::string repodata_directory() const { return writable_ + "/cache"; }

    /// An extracted directory, other than `except`, that is this very package: with the same hashes as far as both
    /// know.
    [[nodiscard]] std::optional<std::string> find_extracted(const PackageRecord& record,
                                                            std::string_view except = {}) const;
    /// An archive that has the size the record names. Its hash is for the reader to check.
    [[nodiscard]] std::optional<std::string> find_archive(const PackageRecord& record) const;

    [[nodiscard]] std::string archive_path(const PackageRecord& record) const { return writable_ + '/' + record.fn; }
    [[nodiscard]] std::string extracted_path(const PackageRecord& record) const {
        return writable_ + '/' + record.dist_name();
    }

    /// Excludes other processes from making this package at the same time; an empty lock where the file system has
    /// no locks. nullopt: another process is at it.
    [[nodiscard]] std::optional<PackageLock> try_lock(const PackageRecord& record) const;
    /// An empty directory to extract into, where extracted packages go.
    Result<StagedDirectory> stage(const PackageRecord& record) const;
    /// Makes a filled directory the extracted package: writes info/repodata_record.json, then renames it into place.
    /// What is known of it (all but `record_json`) is remembered for `find_known`, if it has a paths.json.
    Result<void> publish_extracted(StagedDirectory directory, const PackageRecord& record, KnownPackage known) const;
    /// What is known of the extracted package at `path`, if it is still the one that was published there.
    [[nodiscard]] std::optional<StoredPackage> find_known(const std::string& path) const;
    /// Remembers the package of another tool at `path`, which was found whole, for `find_known`; if that cache can be
    /// written.
    void remember(const std::string& path, const PackageRecord& record, KnownPackage known) const;
    /// Removes what killed runs have left in the writable cache.
    void sweep_leftovers(std::time_t now) const;
    /// Removes an extracted package that turned out to be damaged; renamed first, so that nobody sees half of it.
    Result<void> discard(const std::string& path) const;
    /// Notes where a package came from in `urls.txt`. `url` has no credentials.
    Result<void> note_url(std::string_view url) const;

private:
    /// The cache that a package's directory is in, and the name it has there.
    [[nodiscard]] std::optional<std::pair<std::size_t, std::string_view>> place_of(std::string_view path) const;

    std::vector<std::string> directories_;
    std::vector<CacheIndex> indexes_; ///< of each directory, as of the opening
    std::string writable_;            ///< empty: none
    std::string trees_;               ///< empty: the writable one
    std::shared_ptr<const RunLocks> locks_;
};

} // namespace taipan
