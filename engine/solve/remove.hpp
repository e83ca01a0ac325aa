#pragma once

#include <set>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "model/match_spec.hpp"
#include "model/record.hpp"
#include "solve/solve.hpp"

namespace taipan::solve_detail {

/// Installed packages without those to remove: the named ones, what depends on them, and what only they needed
/// (conda-spec 11.1). With force_remove only the named ones. Fails with package_not_found when a spec matches nothing.
Result<std::vector<PackageRecord>> without_removed(const SolveRequest& request);

/// What `roots` need, directly or not, themselves included; the rest is dropped.
std::vector<PackageRecord> reachable_from(std::vector<PackageRecord> records, const std::set<std::string>& roots);

/// Names that are never cleaned up or pruned, like conda's.
const std::set<std::string>& protected_names();

} // namespace taipan::solve_detail
