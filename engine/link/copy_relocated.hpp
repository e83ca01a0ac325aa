#pragma once

#include <string>

#include "base/result.hpp"
#include "link/platform.hpp"

namespace taipan {

/// From one environment into another.
struct Relocation {
    int source_fd = -1, target_fd = -1; ///< the two prefixes, open
    std::string source, target;         ///< and their paths, as they are written in files
    Platform platform = Platform::linux_os;
};

enum class CopyOutcome {
    copied,
    exists,  ///< something has that name in the target: it stays
    skipped, ///< the source is gone, cannot be read, or is neither file nor symlink
};

/// Copies one file or symlink that belongs to no package, with mode and times, into a directory that is there. As in
/// conda's clone the path of the environment is replaced in files that are UTF-8 text; anything else, and what symlinks
/// point to, is taken as it is. A first line that becomes too long for the kernel is changed as in packages.
Result<CopyOutcome> copy_relocated(const Relocation& relocation, const std::string& path);

} // namespace taipan
