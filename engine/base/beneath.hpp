#pragma once

#include <string>

#include "base/filesystem.hpp"

namespace taipan {

/// Opens the directory `path` (relative, no leading slash; empty means the root itself) below `root_fd`, as a
/// base for *at calls only: it cannot be listed or synced. Symlinked directories on the way are followed as long
/// as they stay below the root (`lib64 -> lib`). On failure the handle is empty and errno tells why; EXDEV means
/// that the path leaves the root through a symlink.
[[nodiscard]] UniqueFd open_directory_beneath(int root_fd, const std::string& path);

/// The same, with an Error that names `<root_name>/<path>`.
Result<UniqueFd> open_directory_beneath(int root_fd, const std::string& path, std::string_view root_name);

} // namespace taipan
