#pragma once

#include <set>
#include <string>

#include "link/plan.hpp"

namespace taipan {

/// The part of a plan that makes these target paths, and the bytecode of those that are sources: for bringing back
/// single files of a package that is installed.
[[nodiscard]] LinkPlan restrict_plan(const LinkPlan& plan, const std::set<std::string>& targets);

} // namespace taipan
