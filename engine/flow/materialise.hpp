#pragma once

#include <functional>
#include <vector>

#include "base/result.hpp"
#include "cache/package_cache.hpp"
#include "flow/cached_package.hpp"
#include "flow/install.hpp"
#include "flow/plan.hpp"
#include "flow/session.hpp"

namespace taipan {

/// Takes over each package as it becomes available; called from several workers at once.
using OnPackage = std::function<Result<void>(CachedPackage package)>;

/// Brings every package to link into the cache, or to where the cache has packages unpacked: downloads the missing
/// ones, verifies, extracts, publishes; then hands each to `on_package`, in the order they happen to be ready. The
/// first error stops everything and is returned.
Result<void> materialise(Session& session, const PackageCache& cache, const std::vector<Channel>& channels,
                         const std::vector<PlannedPackage>& packages, const OnPackage& on_package,
                         InstallReport& report);

} // namespace taipan
