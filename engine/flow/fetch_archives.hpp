#pragma once

#include <vector>

#include "base/result.hpp"
#include "cache/package_cache.hpp"
#include "flow/install.hpp"
#include "flow/plan.hpp"
#include "flow/session.hpp"
#include "model/channel.hpp"

namespace taipan {

/// Brings the archives of packages into the cache, verified, and extracts none of them. Archives that are there
/// already are verified, too; a damaged one is fetched again. The first error stops everything and is returned.
Result<void> fetch_archives(Session& session, const PackageCache& cache, const std::vector<Channel>& channels,
                            const std::vector<PlannedPackage>& packages, InstallReport& report);

/// The archives of these packages as they lie in the cache, verified, in the order of the packages; an empty path for
/// each that is not there, or is not the one that the record promises.
Result<std::vector<std::string>> sound_archives(Session& session, const PackageCache& cache,
                                                const std::vector<PackageRecord>& records);

} // namespace taipan
