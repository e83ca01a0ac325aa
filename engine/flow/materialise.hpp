#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/filesystem.hpp"
#include "base/result.hpp"
#include "cache/package_cache.hpp"
#include "flow/install.hpp"
#include "flow/plan.hpp"
#include "flow/session.hpp"
#include "link/package_info.hpp"

namespace taipan {

/// A package that lies whole and verified in the cache, or in a place of its own.
struct CachedPackage {
    std::size_t index = 0;  ///< in the plan's `link`
    PackageRecord record;   ///< completed from the package's own info/index.json
    std::string directory;  ///< extracted
    PackageInfoTexts info;  ///< what the linker needs to know of it
    bool contained = false; ///< no symlink in it leads out of it
    UniqueFd fd;            ///< of the directory, if it is open already
    /// The directory itself if it is in no cache: its files can be moved, and what is left of it goes with this.
    std::optional<StagedDirectory> tree;
};

/// Takes over each package as it becomes available; called from several workers at once.
using OnPackage = std::function<Result<void>(CachedPackage package)>;

/// Brings every package to link into the cache, or to where the cache has packages unpacked: downloads the missing
/// ones, verifies, extracts, publishes; then hands each to `on_package`, in the order they happen to be ready. The
/// first error stops everything and is returned.
Result<void> materialise(Session& session, const PackageCache& cache, const std::vector<Channel>& channels,
                         const std::vector<PlannedPackage>& packages, const OnPackage& on_package,
                         InstallReport& report);

} // namespace taipan
