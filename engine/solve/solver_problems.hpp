#pragma once

#include <string>
#include <vector>

#include "solve/catalog.hpp"
#include "solve/jobs.hpp"
#include "solve/pool.hpp"

namespace taipan::solve_detail {

/// Each contradiction as one sentence in libsolv's words ("nothing provides __glibc >=2.36 needed by python-3.12.1-0"):
/// mamba puts them into `solver_problems` of its JSON, and programs take them apart there.
std::vector<std::string> solver_problems(const Catalog& catalog, const AttemptPlan& plan, const Answer& answer);

} // namespace taipan::solve_detail
