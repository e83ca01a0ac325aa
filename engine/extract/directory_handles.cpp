// Where files of a package go: a directory handle for each path, opened once.
//
// Problem: the kernel walks a path for every file that is created by its full name, and an archive can plant a
// symlink ("lib -> /usr/lib") and then write "lib/x" through it.
// Approach: directories are opened one component at a time from their parent's handle with O_NOFOLLOW, and stay
// open (the least recently used ones are closed when there are too many). Where a component turns out to be a
// symlink of the archive, the kernel resolves the path once more with openat2(RESOLVE_BENEATH): links that stay
// in the tree work, links that leave it fail.
// What must hold: a directory that was created is never removed while the tree is being written, so a handle under
// a path of real directories stays right; handles reached through symlinks are forgotten whenever a member
// replaces another one, since the link itself may have been replaced.

#include "extract/directory_handles.hpp"

#include <algorithm>
#include <cerrno>
#include <utility>

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "extract/safe_path.hpp"

namespace taipan {

namespace {

constexpr int directory_flags = O_PATH | O_DIRECTORY | O_CLOEXEC;

Error in_the_way(std::string_view path) {
    return make_error(ErrorCode::corrupt_package,
                      "the archive puts a file below something that is not a directory: " + printable(path));
}

Error leaves_tree(std::string_view path) {
    return make_error(ErrorCode::corrupt_package,
                      "the archive writes through a symbolic link that leaves the package: " + printable(path));
}

} // namespace

DirectoryHandles::DirectoryHandles(int root, std::size_t capacity)
    : root_(root), capacity_(std::max<std::size_t>(capacity, 2)) {}

int DirectoryHandles::held(Directory& directory) {
    directory.last_use = ++clock_;
    return directory.fd.get();
}

Result<int> DirectoryHandles::open(std::string_view path, bool create) {
    if (path.empty()) return root_;
    if (last_fd_ >= 0 && path == last_path_) return last_fd_;

    // Back to the nearest open ancestor, then forward again.
    Step step{root_, false};
    std::size_t end = path.size();
    while (true) {
        if (const auto found = known_.find(path.substr(0, end)); found != known_.end() && found->second.fd) {
            step = Step{held(found->second), found->second.through_link};
            break;
        }
        const auto slash = path.rfind('/', end - 1);
        if (slash == std::string_view::npos) {
            end = 0;
            break;
        }
        end = slash;
    }
    while (end < path.size()) {
        const auto from = end == 0 ? 0 : end + 1;
        end = std::min(path.find('/', from), path.size());
        const std::string name(path.substr(from, end - from));
        TAIPAN_TRY(step, enter(step, path.substr(0, end), name, create));
    }
    last_path_ = path;
    last_fd_ = step.fd;
    return step.fd;
}

/// Opens `name` in `parent`, creating it if it is not known; `path` is the whole path of it.
Result<DirectoryHandles::Step> DirectoryHandles::enter(Step parent, std::string_view path, const std::string& name,
                                                       bool create) {
    if (create && known_.find(path) == known_.end() && ::mkdirat(parent.fd, name.c_str(), 0777) != 0 &&
        errno != EEXIST) {
        return system_error(errno, "cannot create directory", path);
    }
    UniqueFd fd(::openat(parent.fd, name.c_str(), directory_flags | O_NOFOLLOW));
    if (!fd && (errno == EMFILE || errno == ENFILE)) {
        while (!fd && held_.size() > 1) {
            evict_oldest(); // the parent was used last, so it stays
            fd = UniqueFd(::openat(parent.fd, name.c_str(), directory_flags | O_NOFOLLOW));
        }
        if (!fd) return system_error(EMFILE, "cannot open directory", path);
    }
    bool through_link = parent.through_link;
    if (!fd && (errno == ENOTDIR || errno == ELOOP)) {
        TAIPAN_TRY(fd, open_through_link(path));
        through_link = true;
    }
    if (!fd && errno == ENOENT) return in_the_way(path);
    if (!fd) return system_error(errno, "cannot open directory", path);
    return Step{hold(path, std::move(fd), through_link), through_link};
}

Result<UniqueFd> DirectoryHandles::open_through_link(std::string_view path) {
    const std::string terminated(path);
    open_how how{};
    how.flags = directory_flags;
    how.resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS;
    int fd = -1;
    for (int attempt = 0; attempt < 8; ++attempt) { // EAGAIN: something was renamed meanwhile
        fd = static_cast<int>(::syscall(SYS_openat2, root_, terminated.c_str(), &how, sizeof how));
        if (fd >= 0 || errno != EAGAIN) break;
    }
    if (fd >= 0) {
        used_links_ = true;
        return UniqueFd(fd);
    }
    switch (errno) {
    case EXDEV: return leaves_tree(path);
    case ENOENT:
    case ENOTDIR:
    case ELOOP: return in_the_way(path);
    default: // among them kernels and sandboxes without openat2: then such a package is refused
        return system_error(errno, "cannot open directory through a symbolic link of the package", path);
    }
}

int DirectoryHandles::hold(std::string_view path, UniqueFd fd, bool through_link) {
    if (held_.size() >= capacity_) evict_oldest();
    auto found = known_.find(path);
    if (found == known_.end()) found = known_.try_emplace(std::string(path)).first;
    auto& directory = found->second;
    directory.fd = std::move(fd);
    directory.through_link = through_link;
    held_.push_back(&directory);
    return held(directory);
}

void DirectoryHandles::evict_oldest() {
    const auto oldest = std::min_element(held_.begin(), held_.end(),
                                         [](auto* left, auto* right) { return left->last_use < right->last_use; });
    if (oldest == held_.end()) return;
    if ((*oldest)->fd.get() == last_fd_) last_fd_ = -1;
    (*oldest)->fd.reset();
    *oldest = held_.back();
    held_.pop_back();
}

bool DirectoryHandles::shed() {
    if (held_.size() < 2) return false;
    while (held_.size() > 1) evict_oldest();
    return true;
}

void DirectoryHandles::forget_links() {
    if (!used_links_) return;
    last_fd_ = -1;
    std::erase_if(held_, [](const Directory* directory) { return directory->through_link; });
    std::erase_if(known_, [](const auto& entry) { return entry.second.through_link; });
}

} // namespace taipan
