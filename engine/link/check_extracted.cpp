#include "link/check_extracted.hpp"

#include <string_view>
#include <unordered_map>

#include <fcntl.h>
#include <sys/stat.h>

#include "base/filesystem.hpp"

namespace taipan {

namespace {

/// Tells whether directories are real ones, each looked at once.
class Directories {
public:
    explicit Directories(int root) : root_(root) {}
    bool are_real(const std::string& path) {
        if (path.empty()) return true;
        if (const auto known = known_.find(path); known != known_.end()) return known->second;
        struct stat status {};
        const bool real = are_real(std::string(parent_path(path))) &&
                          ::fstatat(root_, path.c_str(), &status, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(status.st_mode);
        return known_.emplace(path, real).first->second;
    }

private:
    int root_;
    std::unordered_map<std::string, bool> known_;
};

std::string problem_of(const PathEntry& entry, int root) {
    struct stat status {};
    if (::fstatat(root, entry.path.c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0) return entry.path + " is missing";
    switch (entry.type) {
    case PathType::directory: return S_ISDIR(status.st_mode) ? "" : entry.path + " is no directory";
    case PathType::softlink: return S_ISLNK(status.st_mode) ? "" : entry.path + " is no symlink";
    default: break;
    }
    if (!S_ISREG(status.st_mode)) return entry.path + " is no regular file";
    if (!entry.size || static_cast<std::uint64_t>(status.st_size) == *entry.size) return "";
    return entry.path + " has " + std::to_string(status.st_size) + " bytes, not " + std::to_string(*entry.size);
}

} // namespace

ExtractedCheck check_extracted(const PackageLayout& layout, int package_dir_fd) {
    ExtractedCheck check{{}, true};
    Directories directories(package_dir_fd);
    for (const PathEntry& entry : layout.paths) {
        check.problem = problem_of(entry, package_dir_fd);
        if (!check.problem.empty()) break;
        if (entry.type == PathType::softlink || !directories.are_real(std::string(parent_path(entry.path)))) {
            check.contained = false;
        }
    }
    return check;
}

} // namespace taipan
