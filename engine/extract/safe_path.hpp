#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace taipan {

/// Longest path that is accepted from an archive, in bytes.
inline constexpr std::size_t longest_member_path = 4096;

/// Writes the path of an archive member into `clean`: without leading "./", trailing or doubled slashes and "."
/// components. The result is empty for the root itself ("./"). corrupt_package for a path that is empty or
/// absolute, contains "..", or is too long. The text only is judged; symlinks are the writer's concern.
Result<void> clean_member_path(std::string_view raw, std::string& clean);

/// Text for a message: control characters and quotes escaped, long texts shortened.
[[nodiscard]] std::string printable(std::string_view text);

} // namespace taipan
