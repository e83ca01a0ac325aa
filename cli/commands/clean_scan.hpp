#pragma once

#include <cstdint>
#include <ctime>
#include <string>
#include <string_view>
#include <vector>

namespace taipan::cli {

/// What can be removed from a package cache (conda-spec 2.6).
enum class CacheItemKind {
    tarball,  ///< an archive, also a partial one of conda's
    package,  ///< an extracted package of which no file is linked from anywhere
    index,    ///< the directory of cached indexes
    lock,     ///< a lock file of another tool
    leftover, ///< what a killed run of ours left behind, or a file that could not be removed while it was in use
    log,      ///< a log file of another tool
    cache,    ///< the whole cache
};

struct CacheItem {
    CacheItemKind kind = CacheItemKind::tarball;
    std::string directory; ///< the cache it is in
    std::string name;      ///< inside of it
    std::uint64_t bytes = 0;
    std::time_t last_change = 0; ///< when any of it was made, linked or unlinked last

    [[nodiscard]] std::string path() const { return directory + '/' + name; }
};

/// Everything removable in one cache directory, by name. `now` tells the age of leftovers. Changes nothing; what
/// cannot be read is left out.
[[nodiscard]] std::vector<CacheItem> scan_cache(const std::string& directory, std::time_t now);
/// The cache itself.
[[nodiscard]] CacheItem whole_cache(const std::string& directory);
/// Files below a prefix that conda or mamba could not remove while they were in use, by their names. Environments that
/// are being changed are left alone.
[[nodiscard]] std::vector<CacheItem> scan_tempfiles(const std::string& prefix);

} // namespace taipan::cli
