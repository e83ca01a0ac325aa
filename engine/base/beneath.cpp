// Problem: a package, or a user, may have put a symlink where we expect a directory. Following it is right while
// it stays inside the tree (`lib64 -> lib`) and a hole when it leaves it (`share -> /etc`).
// Approach: Linux resolves the whole path for us in one call with RESOLVE_BENEATH. Where openat2 is missing (old
// kernel, other system, strict sandbox) the components are walked one by one with the same outcome.
// What must hold: no handle that is returned lies outside `root_fd`.

#include "base/beneath.hpp"

#include <atomic>
#include <cerrno>
#include <climits>
#include <vector>

#include <fcntl.h>
#include <unistd.h>
#ifdef __linux__
#include <linux/openat2.h>
#include <sys/syscall.h>
#endif

namespace taipan {

namespace {

#ifdef O_PATH
constexpr int handle_flags = O_PATH | O_DIRECTORY | O_CLOEXEC;
#else
constexpr int handle_flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC;
#endif
constexpr int max_symlinks = 40; // the kernel's own limit

/// Pushes the components of `path` so that the first one is at the back.
void push_components(std::vector<std::string>& pending, std::string_view path) {
    std::size_t end = path.size();
    while (end > 0) {
        const std::size_t slash = path.rfind('/', end - 1);
        const std::size_t begin = slash == std::string_view::npos ? 0 : slash + 1;
        if (begin < end) pending.emplace_back(path.substr(begin, end - begin));
        end = slash == std::string_view::npos ? 0 : slash;
    }
}

/// Component by component; symlinks are read and spliced in, `..` drops the last real component.
UniqueFd walk_beneath(int root_fd, const std::string& path) {
    std::vector<std::string> pending;
    push_components(pending, path);
    std::vector<UniqueFd> handles; // of the real directories from below the root to here
    int links = 0;
    while (!pending.empty()) {
        const std::string part = std::move(pending.back());
        pending.pop_back();
        if (part == ".") continue;
        if (part == "..") {
            if (handles.empty()) {
                errno = EXDEV;
                return {};
            }
            handles.pop_back();
            continue;
        }
        const int here = handles.empty() ? root_fd : handles.back().get();
        UniqueFd next(::openat(here, part.c_str(), handle_flags | O_NOFOLLOW));
        if (next) {
            handles.push_back(std::move(next));
            continue;
        }
        if (errno != ENOTDIR && errno != ELOOP) return {};
        std::string target(PATH_MAX, '\0');
        const ssize_t length = ::readlinkat(here, part.c_str(), target.data(), target.size());
        if (length < 0) {
            if (errno == EINVAL) errno = ENOTDIR;
            return {};
        }
        target.resize(static_cast<std::size_t>(length));
        if (++links > max_symlinks || target.empty() || target.front() == '/') {
            errno = links > max_symlinks ? ELOOP : EXDEV;
            return {};
        }
        push_components(pending, target);
    }
    if (!handles.empty()) return std::move(handles.back());
    return UniqueFd(::openat(root_fd, ".", handle_flags));
}

} // namespace

UniqueFd open_directory_beneath(int root_fd, const std::string& path) {
    if (!path.empty() && path.front() == '/') {
        errno = EXDEV;
        return {};
    }
#ifdef SYS_openat2
    static std::atomic<bool> unsupported{false};
    if (!unsupported.load(std::memory_order_relaxed)) {
        open_how how{};
        how.flags = static_cast<unsigned>(handle_flags);
        how.resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS;
        const char* name = path.empty() ? "." : path.c_str();
        for (int attempt = 0; attempt < 8; ++attempt) {
            const long fd = ::syscall(SYS_openat2, root_fd, name, &how, sizeof(how));
            if (fd >= 0) return UniqueFd(static_cast<int>(fd));
            if (errno != EAGAIN && errno != EINTR) break; // EAGAIN: a rename raced with `..`
        }
        // A seccomp filter answers EPERM for calls it does not know.
        if (errno != ENOSYS && errno != EPERM && errno != EINVAL && errno != EAGAIN) return {};
        if (errno == ENOSYS) unsupported.store(true, std::memory_order_relaxed);
    }
#endif
    return walk_beneath(root_fd, path);
}

Result<UniqueFd> open_directory_beneath(int root_fd, const std::string& path, std::string_view root_name) {
    UniqueFd fd = open_directory_beneath(root_fd, path);
    if (fd) return fd;
    const int saved = errno;
    const std::string full = std::string(root_name) + '/' + path;
    if (saved == EXDEV) {
        return make_error(ErrorCode::not_writable, "cannot use " + full + ": a symlink on the way leaves " +
                                                       std::string(root_name) +
                                                       "; replace the link by a real directory and try again");
    }
    return system_error(saved, "cannot open directory", full);
}

} // namespace taipan
