// Our own disk writer, because creating files is most of the time of an extraction.
//
// Approach: per file one openat with the final mode (the kernel applies the umask), write straight from the
// decoder's buffer, one futimens, one close; no stat, no chmod, no chown, no rename. The tree is private until it
// is renamed into place, so a name that exists already can only be an earlier member of the same archive: O_EXCL
// finds it, and then the later member wins.
// What must hold: nothing is ever opened or created through the last component of a path if that is a symlink
// (O_EXCL, O_NOFOLLOW, linkat without AT_SYMLINK_FOLLOW); DirectoryHandles guards the components before it.

#include "extract/tree_writer.hpp"

#include <array>
#include <cerrno>
#include <climits>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/filesystem.hpp"
#include "extract/safe_path.hpp"

namespace taipan {

namespace {

constexpr mode_t permission_bits = 0777;
constexpr time_t first_of_1980 = 315532800;
constexpr int creation_flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;

bool too_many_files(int errno_value) { return errno_value == EMFILE || errno_value == ENFILE; }

/// Reasons for which a hard link is not possible although the target is there.
bool wants_copy(int errno_value) {
    return errno_value == EPERM || errno_value == EXDEV || errno_value == EMLINK || errno_value == EOPNOTSUPP ||
           errno_value == ENOSYS;
}

Result<void> copy_content(int source, OutputFile& destination, const std::string& path) {
    std::array<char, 64 * 1024> buffer;
    std::uint64_t offset = 0;
    while (true) {
        const ssize_t got = ::read(source, buffer.data(), buffer.size());
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return system_error(errno, "cannot read the target of hard link", path);
        if (got == 0) return {};
        TAIPAN_CHECK(destination.write(std::string_view(buffer.data(), static_cast<std::size_t>(got)), offset));
        offset += static_cast<std::uint64_t>(got);
    }
}

} // namespace

OutputFile::~OutputFile() {
    if (fd_ >= 0) ::close(fd_); // an earlier error is on its way already
}

Result<void> OutputFile::write(std::string_view bytes, std::uint64_t offset) {
    if (offset < end_) {
        return make_error(ErrorCode::corrupt_package, "the archive has overlapping pieces of " + printable(path_));
    }
    if (bytes.empty()) return {};
    if (offset > end_ && ::lseek(fd_, static_cast<off_t>(offset), SEEK_SET) < 0) {
        return system_error(errno, "cannot write", path_);
    }
    end_ = offset + bytes.size();
    return write_all(fd_, bytes, path_);
}

Result<void> OutputFile::finish(std::uint64_t size, timespec modified) {
    if (size < end_) {
        return make_error(ErrorCode::corrupt_package,
                          "the archive has more content than it says for " + printable(path_));
    }
    if (size > end_ && ::ftruncate(fd_, static_cast<off_t>(size)) != 0) {
        return system_error(errno, "cannot set the size of", path_);
    }
    if (modified.tv_sec < first_of_1980) modified = timespec{first_of_1980, 0};
    const std::array<timespec, 2> times{timespec{0, UTIME_OMIT}, modified};
    // Some file systems keep no times; python then recompiles, which is no reason to fail.
    [[maybe_unused]] const int ignored = ::futimens(fd_, times.data());
    const int fd = std::exchange(fd_, -1);
    // Network file systems report a full disk here. After EINTR the descriptor is closed all the same.
    if (::close(fd) != 0 && errno != EINTR) return system_error(errno, "cannot write", path_);
    return {};
}

/// Removes what an earlier member left at this place.
Result<void> TreeWriter::remove_earlier(Place place, const std::string& path) {
    if (::unlinkat(place.directory, place.name, 0) != 0) {
        if (errno == EISDIR || errno == EPERM) {
            return make_error(ErrorCode::corrupt_package,
                              "the archive has both a directory and something else named " + printable(path));
        }
        return system_error(errno, "cannot replace", path);
    }
    directories_.forget_links();
    return {};
}

Result<OutputFile> TreeWriter::create_file(const std::string& path, mode_t mode) {
    for (int attempt = 0;; ++attempt) {
        TAIPAN_TRY(const auto place, directories_.locate(path, true));
        const int fd = ::openat(place.directory, place.name, creation_flags, mode & permission_bits);
        if (fd >= 0) return OutputFile(fd, path);
        const int reason = errno;
        if (reason == EINTR) continue;
        if (reason == EEXIST && attempt == 0)
            TAIPAN_CHECK(remove_earlier(place, path));
        else if (!too_many_files(reason) || !directories_.shed())
            return system_error(reason, "cannot create", path);
    }
}

Result<void> TreeWriter::create_directory(const std::string& path) { return directories_.create(path); }

Result<void> TreeWriter::create_symlink(const std::string& path, const std::string& target) {
    if (target.empty() || target.size() >= PATH_MAX) {
        return make_error(ErrorCode::corrupt_package,
                          "the archive has a symbolic link with an impossible target: " + printable(path));
    }
    for (int attempt = 0;; ++attempt) {
        TAIPAN_TRY(const auto place, directories_.locate(path, true));
        if (::symlinkat(target.c_str(), place.directory, place.name) == 0) return {};
        if (errno != EEXIST || attempt > 0) return system_error(errno, "cannot create symbolic link", path);
        TAIPAN_CHECK(remove_earlier(place, path));
    }
}

Result<void> TreeWriter::create_hardlink(const std::string& path, const std::string& target) {
    if (path == target) return {};
    for (int attempt = 0;; ++attempt) {
        TAIPAN_TRY(const auto source,
                   directories_.locate(target, false)
                       .context("in the target of hard link " + printable(path) + ": " + printable(target)));
        // Looking for the place of the link may close the directory of the target.
        UniqueFd held;
        if (source.directory != directories_.root()) {
            held = UniqueFd(::fcntl(source.directory, F_DUPFD_CLOEXEC, 0));
            if (!held) return system_error(errno, "cannot create hard link", path);
        }
        const int source_directory = held ? held.get() : source.directory;
        TAIPAN_TRY(const auto place, directories_.locate(path, true));
        if (::linkat(source_directory, source.name, place.directory, place.name, 0) == 0) return {};
        const int reason = errno;
        if (reason == ENOENT) {
            return make_error(ErrorCode::corrupt_package, "the archive has a hard link " + printable(path) +
                                                              " to a member that is not there: " + printable(target));
        }
        if (wants_copy(reason)) return copy_member(source_directory, source.name, path);
        if (reason != EEXIST || attempt > 0) return system_error(reason, "cannot create hard link", path);
        TAIPAN_CHECK(remove_earlier(place, path));
    }
}

Result<void> TreeWriter::copy_member(int source_directory, const char* source_name, const std::string& path) {
    struct stat status {};
    if (::fstatat(source_directory, source_name, &status, AT_SYMLINK_NOFOLLOW) != 0) {
        return system_error(errno, "cannot read the target of hard link", path);
    }
    if (S_ISLNK(status.st_mode)) {
        std::array<char, PATH_MAX> target;
        const auto length = ::readlinkat(source_directory, source_name, target.data(), target.size());
        if (length < 0) return system_error(errno, "cannot read the target of hard link", path);
        return create_symlink(path, std::string(target.data(), static_cast<std::size_t>(length)));
    }
    if (!S_ISREG(status.st_mode)) {
        return make_error(ErrorCode::corrupt_package, "the archive has a hard link to a directory: " + printable(path));
    }
    const UniqueFd source(::openat(source_directory, source_name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC));
    if (!source) return system_error(errno, "cannot read the target of hard link", path);
    TAIPAN_TRY(auto copy, create_file(path, status.st_mode));
    TAIPAN_CHECK(copy_content(source.get(), copy, path));
    return copy.finish(static_cast<std::uint64_t>(status.st_size), status.st_mtim);
}

Result<std::string> TreeWriter::read_text(const std::string& path, std::uint64_t limit) {
    TAIPAN_TRY(const auto place, directories_.locate(path, false));
    const UniqueFd file(::openat(place.directory, place.name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK));
    if (!file && errno == ENOENT) return std::string{};
    if (!file && errno == ELOOP) {
        return make_error(ErrorCode::corrupt_package,
                          "the archive has a symbolic link where it must have a file: " + printable(path));
    }
    if (!file) return system_error(errno, "cannot read", path);
    std::string text;
    std::array<char, 64 * 1024> buffer;
    while (true) {
        const ssize_t got = ::read(file.get(), buffer.data(), buffer.size());
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return system_error(errno, "cannot read", path);
        if (got == 0) return text;
        text.append(buffer.data(), static_cast<std::size_t>(got));
        if (text.size() > limit) {
            return make_error(ErrorCode::corrupt_package, "the archive has an unreasonably large " + printable(path));
        }
    }
}

} // namespace taipan
