#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "link/entry_points.hpp"
#include "model/record.hpp"

namespace taipan {

/// The metadata members of a package that linking needs, as texts; empty when the package has no such member.
struct PackageInfoTexts {
    std::string index_json;
    std::string paths_json;
    std::string link_json; ///< or the older `info/package_metadata.json`
    std::string files;     ///< this and the rest: packages from before paths.json
    std::string has_prefix;
    std::string no_link;
    std::string no_softlink;
};

/// What a package consists of: its paths in the order of paths.json, and what noarch python adds.
struct PackageLayout {
    std::vector<PathEntry> paths;
    Noarch noarch = Noarch::none;
    std::vector<EntryPoint> entry_points;
    /// There was no paths.json: which files are symlinks is only known after `detect_symlinks`.
    bool legacy = false;
};

/// Reads the members from an extracted package directory. Only `info/index.json` must exist.
Result<PackageInfoTexts> read_package_info(int package_dir_fd);

/// Parses and checks the texts (conda-spec 1.5-1.8). Every path is relative and stays in the tree; otherwise, and
/// for malformed texts, the error is corrupt_package.
Result<PackageLayout> parse_package_layout(const PackageInfoTexts& texts);

/// Sets `type` of each path of a legacy layout by looking at the extracted files. A missing file is corrupt_package.
Result<void> detect_symlinks(PackageLayout& layout, int package_dir_fd);

/// The three steps above in one.
Result<PackageLayout> load_package_layout(int package_dir_fd);

} // namespace taipan
