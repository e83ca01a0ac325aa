// Where files of a package go.
//
// Problem: an archive can plant a symlink ("lib -> /usr/lib") and then write "lib/x" through it; but checking the way
// to each file, or holding a handle for each directory, costs more calls than the files themselves. Approach: a
// directory that mkdirat has just made, below others of that kind, is a real one, and what goes into it is named by its
// path from the root. Where a component turns out to be a symlink of the archive, the kernel resolves the path with
// openat2(RESOLVE_BENEATH), and that handle is kept (the least recently used ones are closed when there are too many):
// links that stay in the tree work, links that leave it fail. What must hold: nobody else writes into the tree, and a
// directory that was created is never removed while it is being written, so that a path of real directories stays one;
// handles reached through symlinks are forgotten whenever a member replaces another one, since the link itself may have
// been replaced.

#include "extract/directory_handles.hpp"

#include <algorithm>
#include <cerrno>
#include <utility>

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/beneath.hpp"
#include "extract/safe_path.hpp"

namespace taipan {

namespace {

constexpr int directory_flags = O_PATH | O_DIRECTORY | O_CLOEXEC;
constexpr int by_path = -1; ///< no handle is needed: a path of real directories

Error in_the_way(std::string_view path) {
    return make_error(ErrorCode::corrupt_package,
                      "the archive puts a file below something that is not a directory: " + printable(path));
}

Error leaves_tree(std::string_view path) {
    return make_error(ErrorCode::corrupt_package,
                      "the archive writes through a symbolic link that leaves the package: " + printable(path));
}

} // namespace

DirectoryHandles::DirectoryHandles(int root, std::size_t capacity, RealDirectories& real)
    : root_(root), capacity_(std::max<std::size_t>(capacity, 2)), real_(real) {}

Result<DirectoryHandles::Place> DirectoryHandles::locate(const std::string& path, bool create) {
    const auto slash = path.rfind('/');
    if (slash == std::string::npos) return Place{root_, path.c_str()};
    TAIPAN_TRY(const int handle, open(std::string_view(path).substr(0, slash), create));
    return handle == by_path ? Place{root_, path.c_str()} : Place{handle, path.c_str() + slash + 1};
}

Result<void> DirectoryHandles::create(std::string_view path) {
    TAIPAN_TRY([[maybe_unused]] const int handle, open(path, true));
    return {};
}

/// The handle of a directory; `by_path` for a real one.
Result<int> DirectoryHandles::open(std::string_view path, bool create) {
    if (path.empty() || path == last_real_) return by_path;
    // Back to the nearest known ancestor, then forward again.
    int handle = by_path;
    std::size_t end = path.size();
    while (end > 0) {
        const auto ancestor = path.substr(0, end);
        if (real_.contains(ancestor)) break;
        if (const auto found = held_.find(ancestor); found != held_.end()) {
            found->second.last_use = ++clock_;
            handle = found->second.fd.get();
            break;
        }
        const auto slash = path.rfind('/', end - 1);
        end = slash == std::string_view::npos ? 0 : slash;
    }
    while (end < path.size()) {
        const auto from = end == 0 ? 0 : end + 1;
        end = std::min(path.find('/', from), path.size());
        const std::string name(path.substr(handle == by_path ? 0 : from, end - (handle == by_path ? 0 : from)));
        TAIPAN_TRY(handle, enter(handle, path.substr(0, end), name, create));
    }
    if (handle == by_path) last_real_ = path;
    return handle;
}

/// Goes on to `path`, which is `name` from `parent` on, creating it if it is not there.
Result<int> DirectoryHandles::enter(int parent, std::string_view path, const std::string& name, bool create) {
    const int at = parent == by_path ? root_ : parent;
    const bool fresh = create && ::mkdirat(at, name.c_str(), 0777) == 0;
    if (create && !fresh && errno != EEXIST) return system_error(errno, "cannot create directory", path);
    if (fresh && parent == by_path) {
        real_.add(path);
        return by_path;
    }
    UniqueFd fd(::openat(at, name.c_str(), directory_flags | O_NOFOLLOW));
    if (!fd && (errno == EMFILE || errno == ENFILE)) {
        while (!fd && held_.size() > 1) {
            evict_oldest(); // the parent was used last, so it stays
            fd = UniqueFd(::openat(at, name.c_str(), directory_flags | O_NOFOLLOW));
        }
        if (!fd) return system_error(EMFILE, "cannot open directory", path);
    }
    if (fd && parent == by_path) { // made by another writer of this tree
        real_.add(path);
        return by_path;
    }
    if (!fd && (errno == ENOTDIR || errno == ELOOP)) {
        TAIPAN_TRY(fd, open_through_link(path));
    }
    if (!fd && errno == ENOENT) return in_the_way(path);
    if (!fd) return system_error(errno, "cannot open directory", path);
    return hold(path, std::move(fd));
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
    if (fd < 0 && (errno == ENOSYS || errno == EPERM)) { // an old kernel, or a sandbox that does not know the call
        if (const UniqueFd found = open_directory_beneath(root_, terminated)) {
            fd = ::openat(found.get(), ".", directory_flags);
        }
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
    default: return system_error(errno, "cannot open directory through a symbolic link of the package", path);
    }
}

int DirectoryHandles::hold(std::string_view path, UniqueFd fd) {
    if (held_.size() >= capacity_) evict_oldest();
    Held& held = held_.insert_or_assign(std::string(path), Held{std::move(fd), ++clock_}).first->second;
    return held.fd.get();
}

void DirectoryHandles::evict_oldest() {
    const auto oldest = std::min_element(held_.begin(), held_.end(), [](const auto& left, const auto& right) {
        return left.second.last_use < right.second.last_use;
    });
    if (oldest != held_.end()) held_.erase(oldest);
}

bool DirectoryHandles::shed() {
    if (held_.size() < 2) return false;
    while (held_.size() > 1) evict_oldest();
    return true;
}

void DirectoryHandles::forget_links() { held_.clear(); }

} // namespace taipan
