#pragma once

#include <string>

#include "base/result.hpp"
#include "cache/cache_contents.hpp"
#include "cache/cache_leftovers.hpp"

namespace taipan {

/// The right to take entries out of a cache, which nobody has while any run of taipan uses that cache. Runs that begin
/// meanwhile wait; so it is for renaming, and what was renamed is removed afterwards.
class CacheClearing {
public:
    /// Waits up to `patience_seconds`, then fails with ErrorCode::locked.
    static Result<CacheClearing> begin(const std::string& cache_directory, double patience_seconds);
    CacheClearing(CacheClearing&&) = default;
    CacheClearing& operator=(CacheClearing&&) = delete;
    CacheClearing(const CacheClearing&) = delete;
    CacheClearing& operator=(const CacheClearing&) = delete;
    ~CacheClearing();

    /// Gives an entry a name that is nobody's, and returns its path, to be removed by the caller. What is left of it
    /// when the caller is killed goes with the next run. An entry that is gone gives an empty path.
    Result<std::string> set_aside(const CacheEntry& entry) const;

private:
    CacheClearing(std::string cache_directory, RunLocks locks)
        : directory_(std::move(cache_directory)), locks_(std::move(locks)) {}
    std::string directory_;
    RunLocks locks_;
};

} // namespace taipan
