// Small, honest wrappers of the system calls that everything else stands on. Each one retries EINTR, checks
// what the kernel answered and turns errno into an Error that names the action and the path.

#include "base/filesystem.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <thread>

#include <dirent.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/temporary_name.hpp"

namespace taipan {

namespace {

ErrorCode code_of_errno(int errno_value) {
    switch (errno_value) {
    case ENOSPC:
    case EDQUOT: return ErrorCode::no_space;
    case EACCES:
    case EPERM:
    case EROFS: return ErrorCode::not_writable;
    default: return ErrorCode::io;
    }
}

Result<void> remove_children(int directory_fd, const std::string& path);

Result<void> remove_entry(int parent_fd, const char* name, const std::string& path) {
    if (::unlinkat(parent_fd, name, 0) == 0 || errno == ENOENT) return {};
    if (errno != EISDIR && errno != EPERM) return system_error(errno, "cannot remove", path);
    const int unlink_errno = errno;
    constexpr int flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
    UniqueFd child(::openat(parent_fd, name, flags));
    if (!child && errno == EACCES && ::fchmodat(parent_fd, name, 0700, 0) == 0) { // one that we may not read
        child = UniqueFd(::openat(parent_fd, name, flags));
    }
    if (!child) return system_error(errno == ENOTDIR ? unlink_errno : errno, "cannot remove", path);
    auto emptied = remove_children(child.get(), path);
    if (!emptied && emptied.error().code == ErrorCode::not_writable && ::fchmod(child.get(), 0700) == 0) {
        emptied = remove_children(child.get(), path); // it was a read-only directory of our own
    }
    TAIPAN_CHECK(std::move(emptied));
    if (::unlinkat(parent_fd, name, AT_REMOVEDIR) == 0 || errno == ENOENT) return {};
    return system_error(errno, "cannot remove", path);
}

Result<void> remove_children(int directory_fd, const std::string& path) {
    const int listing_fd = ::fcntl(directory_fd, F_DUPFD_CLOEXEC, 0);
    if (listing_fd < 0) return system_error(errno, "cannot list", path);
    struct Closer {
        void operator()(DIR* directory) const { ::closedir(directory); }
    };
    std::unique_ptr<DIR, Closer> directory(::fdopendir(listing_fd));
    if (!directory) {
        const int saved = errno;
        ::close(listing_fd);
        return system_error(saved, "cannot list", path);
    }
    while (true) {
        errno = 0;
        const dirent* entry = ::readdir(directory.get()); // NOLINT(concurrency-mt-unsafe): own stream
        if (entry == nullptr) break;
        const std::string_view name = entry->d_name;
        if (name == "." || name == "..") continue;
        TAIPAN_CHECK(remove_entry(directory_fd, entry->d_name, path + '/' + entry->d_name));
    }
    if (errno != 0) return system_error(errno, "cannot list", path);
    return {};
}

} // namespace

Error system_error(int errno_value, std::string_view action, std::string_view path) {
    std::array<char, 256> buffer{};
    const char* reason = ::strerror_r(errno_value, buffer.data(), buffer.size());
    std::string message(action);
    message.append(" ").append(path).append(": ").append(reason);
    return make_error(code_of_errno(errno_value), std::move(message));
}

UniqueFd& UniqueFd::operator=(UniqueFd&& other) noexcept {
    if (this != &other) {
        reset();
        fd_ = std::exchange(other.fd_, -1);
    }
    return *this;
}

void UniqueFd::reset() {
    if (fd_ >= 0) ::close(fd_);
    fd_ = -1;
}

Result<UniqueFd> open_directory(const std::string& path) {
    UniqueFd fd(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!fd) return system_error(errno, "cannot open directory", path);
    return fd;
}

namespace {

Result<std::string> read_opened(const UniqueFd& fd, const std::string& path, std::uint64_t limit, bool regular_only) {
    if (!fd) return system_error(errno, "cannot open", path);
    struct stat status {};
    if (::fstat(fd.get(), &status) != 0) return system_error(errno, "cannot stat", path);
    if (regular_only && !S_ISREG(status.st_mode)) return make_error(ErrorCode::parse, path + " is no regular file");
    const auto too_large = [&] {
        return make_error(ErrorCode::parse,
                          path + " is larger than the " + std::to_string(limit) + " bytes accepted for such a file");
    };
    const auto size = static_cast<std::uint64_t>(std::max<off_t>(status.st_size, 0));
    if (S_ISREG(status.st_mode) && size > limit) return too_large();
    std::string content;
    content.resize(size > 0 && size <= limit ? static_cast<std::size_t>(size) + 1 : 4096);
    std::size_t filled = 0;
    while (true) {
        if (filled == content.size()) content.resize(content.size() * 2);
        const ssize_t got = ::read(fd.get(), content.data() + filled, content.size() - filled);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return system_error(errno, "cannot read", path);
        if (got == 0) break;
        filled += static_cast<std::size_t>(got);
        if (filled > limit) return too_large();
    }
    content.resize(filled);
    return content;
}

} // namespace

Result<std::string> read_file(const std::string& path, std::uint64_t limit) {
    return read_opened(UniqueFd(::open(path.c_str(), O_RDONLY | O_CLOEXEC)), path, limit, false);
}

Result<std::string> read_regular_file(const std::string& path, std::uint64_t limit) {
    return read_opened(UniqueFd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)), path, limit, true);
}

Result<void> write_all(int fd, std::string_view bytes, std::string_view path) {
    while (!bytes.empty()) {
        const ssize_t wrote = ::write(fd, bytes.data(), bytes.size());
        if (wrote < 0 && errno == EINTR) continue;
        if (wrote < 0) return system_error(errno, "cannot write", path);
        bytes.remove_prefix(static_cast<std::size_t>(wrote));
    }
    return {};
}

Result<AtomicFile> AtomicFile::create(const std::string& path, mode_t mode) {
    UniqueFd fd;
    std::string temporary;
    do {
        temporary = temporary_name(path + ".taipan");
        fd = UniqueFd(::open(temporary.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, mode));
    } while (!fd && errno == EEXIST);
    if (!fd) return system_error(errno, "cannot create", path);
    return AtomicFile(path, std::move(temporary), std::move(fd));
}

AtomicFile::~AtomicFile() {
    if (!temporary_.empty()) ::unlink(temporary_.c_str());
}

Result<void> AtomicFile::write(std::string_view bytes) { return write_all(fd_.get(), bytes, path_); }

Result<void> AtomicFile::commit() {
    if (::rename(temporary_.c_str(), path_.c_str()) != 0) return system_error(errno, "cannot replace", path_);
    temporary_.clear();
    return {};
}

Result<void> write_file_atomic(const std::string& path, std::string_view content, mode_t mode) {
    TAIPAN_TRY(AtomicFile file, AtomicFile::create(path, mode));
    TAIPAN_CHECK(file.write(content));
    return file.commit();
}

Result<void> append_to_file(const std::string& path, std::string_view content) {
    const UniqueFd fd(::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666));
    if (!fd) return system_error(errno, "cannot open", path);
    return write_all(fd.get(), content, path);
}

Result<void> make_directories(const std::string& path, mode_t mode) {
    if (::mkdir(path.c_str(), mode) == 0) return {};
    const int saved = errno;
    if (saved == EEXIST) {
        if (is_directory(path)) return {};
        return make_error(ErrorCode::io, "cannot create directory " + path + ": a file of that name is in the way");
    }
    const std::string_view parent = parent_path(path);
    if (saved != ENOENT || parent.empty() || parent.size() == path.size()) {
        return system_error(saved, "cannot create directory", path);
    }
    TAIPAN_CHECK(make_directories(std::string(parent), mode));
    if (::mkdir(path.c_str(), mode) == 0 || (errno == EEXIST && is_directory(path))) return {};
    return system_error(errno, "cannot create directory", path);
}

Result<void> remove_tree(const std::string& path) { return remove_entry(AT_FDCWD, path.c_str(), path); }

bool exists(const std::string& path) { return ::access(path.c_str(), F_OK) == 0; }

bool is_directory(const std::string& path) {
    struct stat status {};
    return ::stat(path.c_str(), &status) == 0 && S_ISDIR(status.st_mode);
}

std::string absolute_path(std::string_view path, std::string_view working_directory) {
    std::string joined;
    if (path.empty() || path.front() != '/') {
        joined.append(working_directory).append("/");
    }
    joined.append(path);
    std::string clean;
    std::size_t at = 0;
    while (at < joined.size()) {
        const std::size_t end = std::min(joined.find('/', at), joined.size());
        const std::string_view part = std::string_view(joined).substr(at, end - at);
        if (part == "..") {
            clean.resize(clean.empty() ? 0 : clean.rfind('/'));
        } else if (!part.empty() && part != ".") {
            clean.append("/").append(part);
        }
        at = end + 1;
    }
    return clean.empty() ? "/" : clean;
}

std::string_view base_name(std::string_view path) {
    const std::size_t slash = path.rfind('/');
    return slash == std::string_view::npos ? path : path.substr(slash + 1);
}

std::string_view parent_path(std::string_view path) {
    const std::size_t slash = path.rfind('/');
    if (slash == std::string_view::npos) return {};
    return slash == 0 ? path.substr(0, 1) : path.substr(0, slash);
}

bool is_safe_relative_path(std::string_view path) {
    if (path.empty() || path.find('\0') != std::string_view::npos) return false;
    while (true) {
        const std::size_t end = std::min(path.find('/'), path.size());
        const std::string_view part = path.substr(0, end);
        if (part.empty() || part == "." || part == "..") return false;
        if (end == path.size()) return true;
        path.remove_prefix(end + 1);
    }
}

Result<FileLock> FileLock::acquire(const std::string& path, double timeout_seconds, const std::atomic<bool>* stop) {
    using Clock = std::chrono::steady_clock;
    const auto deadline = Clock::now() + std::chrono::duration<double>(timeout_seconds);
    while (true) {
        UniqueFd fd(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666));
        if (!fd) return system_error(errno, "cannot open lock file", path);
        struct flock request {};
        request.l_type = F_WRLCK;
        request.l_whence = SEEK_SET;
        if (::fcntl(fd.get(), F_OFD_SETLK, &request) == 0) {
            // The holder before us may have removed the file: a lock on a nameless file excludes nobody.
            struct stat ours {};
            struct stat named {};
            const bool same = ::fstat(fd.get(), &ours) == 0 && ::stat(path.c_str(), &named) == 0 &&
                              ours.st_ino == named.st_ino && ours.st_dev == named.st_dev;
            if (same) return FileLock(std::move(fd), path);
            continue;
        }
        if (errno == ENOLCK || errno == ENOSYS || errno == EOPNOTSUPP || errno == EINVAL)
            return FileLock(UniqueFd(), {});
        if (errno != EAGAIN && errno != EACCES && errno != EINTR) return system_error(errno, "cannot lock", path);
        if (stop != nullptr && stop->load()) {
            return make_error(ErrorCode::cancelled, "stopped while waiting for the lock " + path);
        }
        if (Clock::now() >= deadline) {
            return make_error(ErrorCode::locked, "another process has held the lock " + path + " for more than " +
                                                     std::to_string(static_cast<long>(timeout_seconds)) +
                                                     " seconds; wait for it to end, then try again");
        }
        std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
}

FileLock::~FileLock() {
    if (fd_ && !path_.empty()) ::unlink(path_.c_str()); // before the descriptor closes: see acquire
}

void raise_open_file_limit() {
    rlimit limit{};
    if (::getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == limit.rlim_max) return;
    limit.rlim_cur = limit.rlim_max;
    // Failing to raise it only makes an EMFILE later more likely, and that one is reported.
    static_cast<void>(::setrlimit(RLIMIT_NOFILE, &limit));
}

} // namespace taipan
