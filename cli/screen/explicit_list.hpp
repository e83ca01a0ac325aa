#pragma once

#include <string>

#include "prefix/prefix_data.hpp"

namespace taipan::cli {

/// The comment lines that `list --export`, `--explicit` and exports begin with.
[[nodiscard]] std::string list_header(const std::string& subdir);

enum class ListHash { none, md5, sha256 };
/// The URLs of all packages in dependency order, below `@EXPLICIT`.
[[nodiscard]] std::string explicit_list(const PrefixData& data, const std::string& subdir, ListHash hash);

} // namespace taipan::cli
