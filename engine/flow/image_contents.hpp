#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "link/plan.hpp"
#include "model/record.hpp"

namespace taipan {

/// One package on its way into an image.
struct ImagePackage {
    PackageRecord record;
    std::string directory; ///< extracted, in the cache
    std::string requested_spec;
    std::string identity; ///< what its content can be told by; empty: nothing
    LinkPlan plan;
    std::uint64_t size = 0;           ///< of its files
    std::vector<std::string> targets; ///< of the plan's actions: where each lies in the image's prefix
    std::vector<bool> hidden;         ///< of the plan's actions: another package has that path
    std::set<std::string> directories;
};

/// Fills in `targets`, `hidden` and `directories` by the rules of an environment: of two packages with one path the
/// later one has it, and a symlink to a directory is gone through, not replaced. What lies in one layer then never
/// depends on which layer is put over which. Errors: clobber for a path that is a file in one package and a directory
/// in another.
Result<void> settle_image_paths(std::vector<ImagePackage>& packages);

} // namespace taipan
