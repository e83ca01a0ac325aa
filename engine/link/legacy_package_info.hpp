#pragma once

#include <vector>

#include "base/result.hpp"
#include "link/package_info.hpp"

namespace taipan {

/// The paths of a package without paths.json, from `files`, `has_prefix`, `no_link` and `no_softlink`
/// (conda-spec 1.7). All count as regular files until `detect_symlinks`.
Result<std::vector<PathEntry>> parse_legacy_paths(const PackageInfoTexts& texts);

} // namespace taipan
