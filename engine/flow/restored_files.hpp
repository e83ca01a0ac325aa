#pragma once

#include "base/result.hpp"
#include "cache/package_cache.hpp"
#include "flow/plan.hpp"
#include "flow/session.hpp"

namespace taipan {

/// Completes a plan that removes packages: where one of them shares a path with a package that stays, the other one's
/// file must be there afterwards. It is left where it lies when it is the right one already (`Plan::kept_paths`),
/// otherwise its package is added to `Plan::link`, for these paths only. Reads the prefix; to be called with its lock.
Result<Plan> with_restored_files(Session& session, Plan plan, const PackageCache& cache);

} // namespace taipan
