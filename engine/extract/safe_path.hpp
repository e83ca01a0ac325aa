#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace taipan {

/// Longest path that is accepted from an archive, in bytes: what the kernel takes, since members are placed by path.
inline constexpr std::size_t longest_member_path = 4095;

/// Writes the path of an archive member into `clean`: without leading "./", trailing or doubled slashes and "."
/// components. The result is empty for the root itself ("./"). corrupt_package for a path that is empty or
/// absolute, contains "..", or is too long. The text only is judged; symlinks are the writer's concern.
Result<void> clean_member_path(std::string_view raw, std::string& clean);

/// Whether a symlink at `path` stays in the tree, whatever other symlinks of this kind there are in it: it is relative,
/// and goes up only at its start and no higher than the root. `path` is clean and goes through real directories only.
[[nodiscard]] bool link_stays_inside(std::string_view path, std::string_view target);

/// Text for a message: control characters and quotes escaped, long texts shortened.
[[nodiscard]] std::string printable(std::string_view text);

} // namespace taipan
