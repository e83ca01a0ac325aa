#pragma once

#include <cstdint>
#include <ctime>
#include <string>

#include "base/result.hpp"

namespace taipan {

/// What one run found in a cache, and what it had to fetch: numbers of packages.
struct CacheUse {
    std::time_t time = 0;
    std::uint64_t extracted = 0, archives = 0; ///< there, in this form
    std::uint64_t fetched = 0, fetched_bytes = 0;
};

/// The sum of many.
struct CacheUses {
    std::uint64_t runs = 0;
    CacheUse total;
    std::time_t first = 0, last = 0; ///< 0: none
};

/// `<cache>/.taipan-uses`: a line for each run that wanted packages, "taipan 1 <time> <extracted> <archives> <fetched>
/// <bytes>". It is only appended to, by one write; a line that is damaged does not count.
Result<void> note_cache_use(const std::string& cache_directory, const CacheUse& use);
[[nodiscard]] CacheUses read_cache_uses(const std::string& cache_directory);
/// Drops all but the newest lines of a long list.
Result<void> trim_cache_uses(const std::string& cache_directory);

} // namespace taipan
