#pragma once

#include <map>
#include <set>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "repodata/channel_package.hpp"

namespace taipan {

/// Repairs that a channel makes to its records without rebuilding packages: `patch_instructions.json`, as conda-index
/// and conda-forge write it.
struct PatchInstructions {
    std::map<std::string, JsonFields, std::less<>> records; ///< by file name: values to set, `null` to take out
    std::set<std::string, std::less<>> remove;              ///< file names that are not offered any longer
    std::set<std::string, std::less<>> revoke;              ///< file names that must not be installed any longer
};

/// Reads the file's text; parse when it is malformed or of a version above 1.
Result<PatchInstructions> read_patch_instructions(std::string_view json);

/// Applies them. What is said of a `.tar.bz2` counts for the `.conda` of the same stem too, and what is said of that
/// comes after. Removed file names are taken out of `packages` and returned, sorted.
std::set<std::string> apply_patch_instructions(const PatchInstructions& instructions, ChannelPackages& packages);

} // namespace taipan
