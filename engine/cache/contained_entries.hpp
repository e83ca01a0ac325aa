#pragma once

#include <string>
#include <string_view>
#include <unordered_set>

#include <sys/stat.h>

#include "base/result.hpp"

namespace taipan {

/// The extracted packages of one cache that no path leads out of, as their extraction has shown: each symlink ends
/// inside. Their files can be linked by path; in those of unknown origin every directory must be looked at first.
///
/// Kept in `<cache>/.taipan-contained`, a line for each: "<inode> <ctime in ns> <dist name>". Only an installer can
/// write there, not a package, and no directory that somebody makes later has the same inode and ctime. Lines of
/// directories that are gone do no harm.
class ContainedEntries {
public:
    /// A missing or unreadable file is an empty list.
    static ContainedEntries read(const std::string& cache_directory);
    /// `status` is that of the package's directory.
    [[nodiscard]] bool contains(std::string_view dist_name, const struct stat& status) const;

    /// Adds one; the directory must have its final name.
    static Result<void> note(const std::string& cache_directory, std::string_view dist_name, const struct stat& status);
    /// Drops the lines of packages whose directory is not there any more.
    static Result<void> prune(const std::string& cache_directory);

private:
    std::unordered_set<std::string> lines_;
};

} // namespace taipan
