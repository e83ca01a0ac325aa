#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "solve/attempt.hpp"
#include "solve/catalog.hpp"
#include "solve/jobs.hpp"
#include "solve/pool.hpp"

namespace taipan::solve_detail {

/// Requested names and versions that no channel has: ErrorCode::package_not_found, or nothing when all are there.
Result<void> check_requested_exist(Catalog& catalog);

/// Why there is no solution, as a tree: ErrorCode::unsatisfiable.
Error explain(Catalog& catalog, const AttemptPlan& plan, const Reach& reach, const Answer& answer);

/// The names most like `wanted` (a typing error away), best first, at most `limit`.
std::vector<std::string> similar_names(std::string_view wanted, const std::vector<std::string>& names,
                                       std::size_t limit = 3);

} // namespace taipan::solve_detail
