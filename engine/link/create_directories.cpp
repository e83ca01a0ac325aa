// Making the directories of a plan with one mkdirat each. Below directories that this run made, by path; elsewhere
// a symlink may be on the way: the list has parents before children, so the handles of the directories on the way
// down are kept on a stack and every name is looked up in its own parent.

#include <cerrno>
#include <string_view>

#include <fcntl.h>
#include <sys/stat.h>

#include "base/beneath.hpp"
#include "base/filesystem.hpp"
#include "link/place_file.hpp"

namespace taipan {

namespace {

struct OpenDirectory {
    std::string_view path;
    UniqueFd fd;
};

bool is_below(std::string_view path, std::string_view directory) {
    return path.size() > directory.size() && path.starts_with(directory) && path[directory.size()] == '/';
}

/// Handle of `directory`, which exists; real directories are opened from their parent's handle.
Result<UniqueFd> open_for_children(int parent_fd, std::string_view name, std::string_view directory, int prefix_fd,
                                   const std::string& prefix) {
#ifdef O_PATH
    UniqueFd fd(::openat(parent_fd, std::string(name).c_str(), O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    if (fd) return fd;
#else
    static_cast<void>(parent_fd);
    static_cast<void>(name);
#endif
    return open_directory_beneath(prefix_fd, std::string(directory), prefix); // a symlink, to be checked
}

/// Makes one directory: true when it was not there before. A symlink to a directory will do, and is noted in `made`.
Result<bool> make_directory(int at, const std::string& name, const std::string& shown, MadeDirectories* made) {
    if (::mkdirat(at, name.c_str(), 0777) == 0) return true;
    if (errno != EEXIST) return system_error(errno, "cannot create directory", shown);
    struct stat status {};
    const bool there = ::fstatat(at, name.c_str(), &status, AT_SYMLINK_NOFOLLOW) == 0;
    if (there && S_ISDIR(status.st_mode)) return false;
    if (there && S_ISLNK(status.st_mode) && ::fstatat(at, name.c_str(), &status, 0) == 0 && S_ISDIR(status.st_mode)) {
        if (made != nullptr) made->met_symlink();
        return false;
    }
    return make_error(ErrorCode::clobber, "cannot create directory " + shown + ": a file of that name is in the way");
}

} // namespace

Result<std::vector<std::string>> create_directories(const std::vector<std::string>& directories, int prefix_fd,
                                                    const std::string& prefix, MadeDirectories* made) {
    std::vector<std::string> created;
    std::vector<OpenDirectory> open; // the chain of ancestors that are open now
    for (const std::string& directory : directories) {
        if (made != nullptr && made->contains(directory)) continue;
        const std::string shown = prefix + '/' + directory;
        const std::string_view parent = parent_path(directory);
        if (made != nullptr && made->contains(parent)) {
            TAIPAN_TRY(const bool fresh, make_directory(prefix_fd, directory, shown, made));
            if (!fresh) continue;
            made->add(directory);
            created.push_back(directory);
            continue;
        }
        while (!open.empty() && !is_below(directory, open.back().path)) open.pop_back();
        if ((open.empty() ? std::string_view() : open.back().path) != parent) {
            const int above = open.empty() ? prefix_fd : open.back().fd.get();
            const bool adjacent = parent_path(parent) == (open.empty() ? std::string_view() : open.back().path);
            auto fd = adjacent ? open_for_children(above, base_name(parent), parent, prefix_fd, prefix)
                               : open_directory_beneath(prefix_fd, std::string(parent), prefix);
            if (!fd) return std::move(fd).error();
            open.push_back({parent, *std::move(fd)});
        }
        const int here = open.empty() ? prefix_fd : open.back().fd.get();
        TAIPAN_TRY(const bool fresh, make_directory(here, std::string(base_name(directory)), shown, made));
        if (fresh) created.push_back(directory);
    }
    return created;
}

} // namespace taipan
