#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include <sys/types.h>

#include "base/result.hpp"

namespace taipan {

/// Error for a failed system call: "<action> <path>: <strerror>", with the code that errno implies.
[[nodiscard]] Error system_error(int errno_value, std::string_view action, std::string_view path);

/// Owns one file descriptor.
class UniqueFd {
public:
    UniqueFd() = default;
    explicit UniqueFd(int fd) : fd_(fd) {}
    UniqueFd(UniqueFd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
    UniqueFd& operator=(UniqueFd&& other) noexcept;
    UniqueFd(const UniqueFd&) = delete;
    UniqueFd& operator=(const UniqueFd&) = delete;
    ~UniqueFd() { reset(); }
    [[nodiscard]] int get() const { return fd_; }
    explicit operator bool() const { return fd_ >= 0; }
    void reset();

private:
    int fd_ = -1;
};

/// Opens a directory for use as the base of *at calls.
Result<UniqueFd> open_directory(const std::string& path);

/// Reads a whole file; fails with ErrorCode::parse when it is larger than `limit` bytes.
Result<std::string> read_file(const std::string& path, std::uint64_t limit = std::uint64_t{4} << 30);

/// The same for what can only be a file: anything else there (a pipe, which would be waited for) is ErrorCode::parse.
Result<std::string> read_regular_file(const std::string& path, std::uint64_t limit = std::uint64_t{4} << 30);

/// Writes everything or fails; retries EINTR and short writes. `path` is for the message only.
Result<void> write_all(int fd, std::string_view bytes, std::string_view path);

/// A file that takes the place of `path` when it is complete: written under another name beside it, then renamed.
/// Without `commit` nothing has happened. No fsync, as below.
class AtomicFile {
public:
    static Result<AtomicFile> create(const std::string& path, mode_t mode = 0666);
    AtomicFile(AtomicFile&& other) noexcept
        : path_(std::move(other.path_)), temporary_(std::exchange(other.temporary_, {})), fd_(std::move(other.fd_)) {}
    AtomicFile& operator=(AtomicFile&&) = delete;
    AtomicFile(const AtomicFile&) = delete;
    AtomicFile& operator=(const AtomicFile&) = delete;
    ~AtomicFile();
    Result<void> write(std::string_view bytes);
    [[nodiscard]] int fd() const { return fd_.get(); }
    Result<void> commit();

private:
    AtomicFile(std::string path, std::string temporary, UniqueFd fd)
        : path_(std::move(path)), temporary_(std::move(temporary)), fd_(std::move(fd)) {}
    std::string path_, temporary_;
    UniqueFd fd_;
};

/// Replaces `path` by a file with this content, atomically (temp file in the same directory + rename).
/// No fsync: a crash of the machine may lose the new content, never mix old and new.
Result<void> write_file_atomic(const std::string& path, std::string_view content, mode_t mode = 0666);

/// Appends in one write with O_APPEND, creating the file if needed.
Result<void> append_to_file(const std::string& path, std::string_view content);

/// mkdir -p. Succeeds when it exists already as a directory.
Result<void> make_directories(const std::string& path, mode_t mode = 0777);

/// rm -rf that never follows a symlink. A missing path is a success.
Result<void> remove_tree(const std::string& path);

[[nodiscard]] bool exists(const std::string& path);       ///< follows symlinks
[[nodiscard]] bool is_directory(const std::string& path); ///< follows symlinks

/// Makes `path` absolute against `working_directory` and removes `.`/`..`/`//` textually (conda does not
/// resolve symlinks of a prefix either).
[[nodiscard]] std::string absolute_path(std::string_view path, std::string_view working_directory);
[[nodiscard]] std::string_view base_name(std::string_view path);
[[nodiscard]] std::string_view parent_path(std::string_view path);

/// True for a non-empty relative path without empty, "." or ".." components and without NUL: the only
/// kind of path that is accepted from an archive or from paths.json.
[[nodiscard]] bool is_safe_relative_path(std::string_view path);

/// A directory being filled under a temporary name beside its destination. `commit` renames it into
/// place; otherwise the destructor removes it, so a half-written tree is never visible.
class StagedDirectory {
public:
    /// Creates `<parent>/.taipan-<name>-<pid>-<counter>`.
    static Result<StagedDirectory> create(const std::string& parent, std::string_view name);
    StagedDirectory(StagedDirectory&& other) noexcept;
    StagedDirectory& operator=(StagedDirectory&&) = delete;
    StagedDirectory(const StagedDirectory&) = delete;
    StagedDirectory& operator=(const StagedDirectory&) = delete;
    ~StagedDirectory();

    [[nodiscard]] const std::string& path() const { return path_; }
    [[nodiscard]] int fd() const { return fd_.get(); }
    /// Renames to `destination` (same file system). An existing directory there is replaced: it is moved
    /// aside first and removed afterwards. The handle stays open.
    Result<void> commit(const std::string& destination);

private:
    StagedDirectory(std::string path, UniqueFd fd) : path_(std::move(path)), fd_(std::move(fd)) {}
    std::string path_;
    UniqueFd fd_;
};

/// An exclusive advisory lock (open file description lock) on a lock file, released by the destructor.
class FileLock {
public:
    /// Waits up to `timeout_seconds`, then fails with ErrorCode::locked, or until `stop`, if there is one, becomes
    /// true, then with ErrorCode::cancelled. On file systems without locks (ENOLCK, ENOSYS, EOPNOTSUPP) it succeeds
    /// without holding anything: publishing stays atomic by rename. The lock file is removed on release.
    static Result<FileLock> acquire(const std::string& path, double timeout_seconds,
                                    const std::atomic<bool>* stop = nullptr);
    FileLock(FileLock&&) = default;
    FileLock& operator=(FileLock&&) = delete;
    FileLock(const FileLock&) = delete;
    FileLock& operator=(const FileLock&) = delete;
    ~FileLock();

private:
    FileLock(UniqueFd fd, std::string path) : fd_(std::move(fd)), path_(std::move(path)) {}
    UniqueFd fd_;
    std::string path_;
};

/// Raises the soft limit of open files to the hard one; directory handles are many.
void raise_open_file_limit();

} // namespace taipan
