#include "cache/cache_clearing.hpp"

#include <cerrno>
#include <cstdio>
#include <ctime>

#include <unistd.h>

#include "base/filesystem.hpp"
#include "base/temporary_name.hpp"

namespace taipan {

namespace {

constexpr useconds_t turn_microseconds = 20'000;
constexpr double turns_per_second = 50;

} // namespace

Result<CacheClearing> CacheClearing::begin(const std::string& cache_directory, double patience_seconds) {
    RunLocks locks(cache_directory);
    for (double turns = patience_seconds * turns_per_second; !locks.try_keep_runs_out(); turns -= 1) {
        if (turns <= 0) {
            return make_error(ErrorCode::locked, "another taipan uses the package cache " + cache_directory +
                                                     ", perhaps the very packages that would go; try again when it "
                                                     "has ended");
        }
        ::usleep(turn_microseconds);
    }
    return CacheClearing(cache_directory, std::move(locks));
}

CacheClearing::~CacheClearing() { locks_.let_runs_in(); }

Result<std::string> CacheClearing::set_aside(const CacheEntry& entry) const {
    const std::string path = directory_ + '/' + entry.name;
    std::string aside = temporary_name(directory_ + "/.taipan-prune");
    if (::rename(path.c_str(), aside.c_str()) == 0) return aside;
    if (errno == ENOENT) return std::string();
    return system_error(errno, "cannot remove", path);
}

} // namespace taipan
