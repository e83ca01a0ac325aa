// Copying one file by handles: the kernel does it where it can (a reflink costs no space at all), we do where it
// cannot. Mode and mtime come along, since compiled .pyc files name the mtime of their sources.

#include "base/copy_file.hpp"

#include <array>
#include <cerrno>

#include <fcntl.h>
#include <sys/ioctl.h>
#include <unistd.h>
#ifdef __linux__
#include <linux/fs.h>
#endif

namespace taipan {

namespace {

enum class Step { done, unsupported, failed };

/// Errors that mean "not with these two files" and not "the disk is broken".
bool means_unsupported(int errno_value) {
    return errno_value == EXDEV || errno_value == EINVAL || errno_value == ENOSYS || errno_value == EOPNOTSUPP ||
           errno_value == EPERM || errno_value == EBADF || errno_value == ETXTBSY || errno_value == ENOTTY;
}

#ifdef __linux__
/// Continues until the source ends; both handles keep their position, so that another way may go on from there.
Step kernel_copy(int source_fd, int target_fd) {
    constexpr std::size_t piece = std::size_t{1} << 30;
    bool any = false;
    while (true) {
        const ssize_t copied = ::copy_file_range(source_fd, nullptr, target_fd, nullptr, piece, 0);
        if (copied > 0) {
            any = true;
            continue;
        }
        if (copied == 0) return any ? Step::done : Step::unsupported; // some file systems answer 0 for what they cannot
        if (errno == EINTR) continue;
        return means_unsupported(errno) ? Step::unsupported : Step::failed;
    }
}
#endif

Result<void> plain_copy(int source_fd, int target_fd, std::string_view shown) {
    std::array<char, 1 << 16> buffer; // NOLINT: filled by read
    while (true) {
        const ssize_t got = ::read(source_fd, buffer.data(), buffer.size());
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return system_error(errno, "cannot read", shown);
        if (got == 0) return {};
        TAIPAN_CHECK(write_all(target_fd, {buffer.data(), static_cast<std::size_t>(got)}, shown));
    }
}

} // namespace

Result<SourceFile> open_source_file(int directory_fd, const char* name, std::string_view shown) {
    SourceFile source;
    source.fd = UniqueFd(::openat(directory_fd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
    if (!source.fd) {
        if (errno != ENOENT && errno != ELOOP) return system_error(errno, "cannot open", shown);
        return make_error(ErrorCode::corrupt_package, "the extracted package has no regular file " +
                                                          std::string(shown) + ", which its paths.json lists");
    }
    if (::fstat(source.fd.get(), &source.status) != 0) return system_error(errno, "cannot stat", shown);
    if (!S_ISREG(source.status.st_mode)) {
        return make_error(ErrorCode::corrupt_package, std::string(shown) + " is no regular file");
    }
    return source;
}

UniqueFd create_target_file(int directory_fd, const char* name, mode_t mode) {
    return UniqueFd(::openat(directory_fd, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode & 0777U));
}

bool clone_bytes(const SourceFile& source, int target_fd) {
#ifdef __linux__
    return ::ioctl(target_fd, FICLONE, source.fd.get()) == 0;
#else
    static_cast<void>(source);
    static_cast<void>(target_fd);
    return false;
#endif
}

Result<void> copy_bytes(const SourceFile& source, int target_fd, std::string_view shown, bool* clones) {
    const int source_fd = source.fd.get();
    bool copied = source.status.st_size == 0;
    if (!copied && (clones == nullptr || *clones)) {
        copied = clone_bytes(source, target_fd);
        if (clones != nullptr) *clones = copied;
    }
#ifdef __linux__
    if (!copied) {
        const Step step = kernel_copy(source_fd, target_fd);
        if (step == Step::failed) return system_error(errno, "cannot write", shown);
        copied = step == Step::done;
    }
#endif
    return copied ? Result<void>() : plain_copy(source_fd, target_fd, shown);
}

Result<void> copy_content(const SourceFile& source, int target_fd, std::string_view shown, bool* clones) {
    TAIPAN_CHECK(copy_bytes(source, target_fd, shown, clones));
    TAIPAN_CHECK(copy_mode(source, target_fd, shown));
    copy_times(source, target_fd);
    return {};
}

Result<void> read_content(const SourceFile& source, std::string& buffer, std::string_view shown) {
    buffer.resize(static_cast<std::size_t>(source.status.st_size));
    std::size_t filled = 0;
    while (filled < buffer.size()) {
        const ssize_t got = ::read(source.fd.get(), buffer.data() + filled, buffer.size() - filled);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return system_error(errno, "cannot read", shown);
        if (got == 0) break;
        filled += static_cast<std::size_t>(got);
    }
    buffer.resize(filled);
    return {};
}

Result<void> copy_mode(const SourceFile& source, int target_fd, std::string_view shown) {
    if (::fchmod(target_fd, source.status.st_mode & 0777U) == 0) return {};
    return system_error(errno, "cannot set the mode of", shown);
}

void copy_times(const SourceFile& source, int target_fd) {
#ifdef __APPLE__
    const std::array<timespec, 2> times{source.status.st_atimespec, source.status.st_mtimespec};
#else
    const std::array<timespec, 2> times{source.status.st_atim, source.status.st_mtim};
#endif
    static_cast<void>(::futimens(target_fd, times.data()));
}

} // namespace taipan
