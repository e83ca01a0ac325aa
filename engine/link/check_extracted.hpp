#pragma once

#include <string>

#include "link/package_info.hpp"

namespace taipan {

/// What a look at an extracted package says.
struct ExtractedCheck {
    std::string problem;    ///< what is not as the package's metadata says; empty when it is whole
    bool contained = false; ///< it has no symlinks, so no path leads out of it
};

/// Whether each path of the layout is there, of the right type and size. Contents are not read.
[[nodiscard]] ExtractedCheck check_extracted(const PackageLayout& layout, int package_dir_fd);

} // namespace taipan
