#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include <sys/types.h>
#include <time.h>

#include "base/result.hpp"
#include "extract/directory_handles.hpp"

namespace taipan {

/// A file that is being written into a tree. Its content counts as written only after `finish`.
class OutputFile {
public:
    OutputFile(OutputFile&& other) noexcept
        : fd_(std::exchange(other.fd_, -1)), path_(std::move(other.path_)), end_(other.end_) {}
    OutputFile& operator=(OutputFile&&) = delete;
    OutputFile(const OutputFile&) = delete;
    OutputFile& operator=(const OutputFile&) = delete;
    ~OutputFile();

    /// Writes at `offset`, which must not lie before the end of what was written; a gap becomes a hole.
    Result<void> write(std::string_view bytes, std::uint64_t offset);
    /// Gives the file its final size (a hole at the end) and modification time, and closes it. A time before 1980
    /// becomes 1980; a file system that refuses the time is ignored.
    Result<void> finish(std::uint64_t size, timespec modified);

private:
    friend class TreeWriter;
    OutputFile(int fd, std::string_view path) : fd_(fd), path_(path) {}
    int fd_;
    std::string_view path_; ///< of the member, for messages; the writer's caller keeps it
    std::uint64_t end_ = 0;
};

/// Writes the members of an archive below one directory and never outside it. All paths are clean member paths
/// (clean_member_path). A later member of the same path replaces an earlier file or link. Owners are never set,
/// the kernel applies the umask, and set-user-ID, set-group-ID and sticky bits are dropped.
class TreeWriter {
public:
    /// `root` is borrowed and must stay open, `real` outlives this; at most `directory_handles` descriptors are held.
    TreeWriter(int root, std::size_t directory_handles, RealDirectories& real)
        : directories_(root, directory_handles, real) {}

    /// Creates the file and the directories above it. `path` must outlive the file.
    Result<OutputFile> create_file(const std::string& path, mode_t mode);
    Result<void> create_directory(const std::string& path);
    Result<void> create_symlink(const std::string& path, const std::string& target);
    /// A second name for the earlier member `target`; a copy where the file system has no hard links.
    Result<void> create_hardlink(const std::string& path, const std::string& target);
    /// Reads a regular file of the tree back, empty if there is none; corrupt_package if it is a symlink or larger
    /// than `limit` bytes.
    Result<std::string> read_text(const std::string& path, std::uint64_t limit);
    /// Another writer may have replaced symlinks of this tree.
    void forget_links() { directories_.forget_links(); }
    /// True when a member was written through a symlink of the archive.
    [[nodiscard]] bool used_links() const { return directories_.used_links(); }

private:
    using Place = DirectoryHandles::Place;
    Result<void> remove_earlier(Place place, const std::string& path);
    Result<void> copy_member(int source_directory, const char* source_name, const std::string& path);

    DirectoryHandles directories_;
};

} // namespace taipan
