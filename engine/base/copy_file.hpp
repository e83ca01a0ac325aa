#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include <sys/stat.h>

#include "base/filesystem.hpp"
#include "base/result.hpp"

namespace taipan {

/// A source file that is open for reading, and what fstat says of it.
struct SourceFile {
    UniqueFd fd;
    struct stat status {};
};

/// Opens a regular file without following symlinks. `shown` is its path for messages. A missing one is corrupt_package.
Result<SourceFile> open_source_file(int directory_fd, const char* name, std::string_view shown);

/// Creates `name` (which must not exist: errno EEXIST is returned as an empty handle with errno set).
[[nodiscard]] UniqueFd create_target_file(int directory_fd, const char* name, mode_t mode);

/// Lets the empty new file share the source's blocks (FICLONE). False: not with these two files.
[[nodiscard]] bool clone_bytes(const SourceFile& source, int target_fd);
/// Fills the new file with the source's bytes: reflink, then copy_file_range, then read and write. `clones` (if given)
/// says whether a reflink is tried, and becomes false when it was in vain: so for the next file of the same
/// directories.
Result<void> copy_bytes(const SourceFile& source, int target_fd, std::string_view shown, bool* clones = nullptr);
/// The same, with mode and times.
Result<void> copy_content(const SourceFile& source, int target_fd, std::string_view shown, bool* clones = nullptr);

/// Reads the whole source into `buffer`, whose capacity is reused.
Result<void> read_content(const SourceFile& source, std::string& buffer, std::string_view shown);

/// Permission bits of the source on the new file, whatever the umask took away.
Result<void> copy_mode(const SourceFile& source, int target_fd, std::string_view shown);
/// Access and modification time; failures are ignored, as some file systems refuse.
void copy_times(const SourceFile& source, int target_fd);

} // namespace taipan
