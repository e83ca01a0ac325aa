// What is in the way of a plan? Asked before anything is touched, so that clobbers are known while the prefix is
// still as it was. Directories that do not exist answer for everything below them with one system call.

#include <algorithm>
#include <cerrno>
#include <map>
#include <string_view>
#include <unordered_set>

#include <fcntl.h>
#include <sys/stat.h>

#include "base/beneath.hpp"
#include "base/filesystem.hpp"
#include "link/place_file.hpp"

namespace taipan {

namespace {

/// Names that a plan wants in one directory.
using Wanted = std::map<std::string_view, std::vector<std::string_view>>;

Wanted wanted_names(const LinkPlan& plan) {
    Wanted wanted;
    for (const InstalledPath& path : plan.paths) {
        if (path.entry.type == PathType::directory) continue;
        wanted[parent_path(path.entry.path)].push_back(base_name(path.entry.path));
    }
    return wanted;
}

std::string join(std::string_view directory, std::string_view name) {
    std::string path(directory);
    if (!path.empty()) path.push_back('/');
    return path.append(name);
}

} // namespace

Result<std::vector<std::string>> find_missing_directories(const std::vector<std::string>& directories, int prefix_fd,
                                                          const std::string& prefix) {
    std::vector<std::string> missing;
    std::unordered_set<std::string_view> known;
    for (const std::string& directory : directories) {
        struct stat status {};
        if (!known.contains(parent_path(directory))) {
            if (::fstatat(prefix_fd, directory.c_str(), &status, 0) == 0) continue;
            if (errno != ENOENT && errno != ENOTDIR) {
                return system_error(errno, "cannot stat", prefix + '/' + directory);
            }
        }
        known.insert(directory);
        missing.push_back(directory);
    }
    return missing;
}

Result<std::vector<std::string>> find_existing_targets(const LinkPlan& plan, int prefix_fd, const std::string& prefix) {
    std::vector<std::string> existing;
    std::unordered_set<std::string_view> missing; // directories that are not there (or not directories)
    for (const std::string& directory : plan.directories) {
        if (missing.contains(parent_path(directory))) {
            missing.insert(directory);
            continue;
        }
        struct stat status {};
        const bool found = ::fstatat(prefix_fd, directory.c_str(), &status, 0) == 0;
        if (found && S_ISDIR(status.st_mode)) continue;
        missing.insert(directory);
        // A file, or a symlink to nowhere, stands where a directory is needed.
        if (found || ::fstatat(prefix_fd, directory.c_str(), &status, AT_SYMLINK_NOFOLLOW) == 0) {
            existing.push_back(directory);
        }
    }
    for (const auto& [directory, names] : wanted_names(plan)) {
        if (missing.contains(directory)) continue;
        UniqueFd handle = open_directory_beneath(prefix_fd, std::string(directory));
        if (!handle && errno == ENOENT) continue; // a __pycache__ that only the compilation will make
        if (!handle) {
            TAIPAN_TRY(handle, open_directory_beneath(prefix_fd, std::string(directory), prefix));
        }
        for (const std::string_view name : names) {
            struct stat status {};
            if (::fstatat(handle.get(), std::string(name).c_str(), &status, AT_SYMLINK_NOFOLLOW) == 0) {
                existing.push_back(join(directory, name));
            } else if (errno != ENOENT && errno != ENOTDIR) {
                return system_error(errno, "cannot stat", prefix + '/' + join(directory, name));
            }
        }
    }
    return existing;
}

} // namespace taipan
