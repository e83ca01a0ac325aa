#pragma once

#include <vector>

#include "base/result.hpp"
#include "flow/install.hpp"
#include "flow/plan.hpp"
#include "flow/session.hpp"

namespace taipan {

/// In which form packages are to be in the cache.
enum class WarmForm { archives, extracted };

/// One plan with all that these link, each package once, so that they are fetched together; only its `link` and
/// `channels` mean something. Fails with invalid_argument when two different packages have one name in the cache, as
/// packages of two platforms may.
Result<Plan> join_plans(const std::vector<Plan>& plans);

/// Says of each package in the plan whether its archive is in the cache, extracted or not: what `WarmForm::archives` is
/// about.
Result<void> look_for_archives(Session& session, Plan& plan);

/// Only brings the packages of the plan into the cache, fetched and verified; no prefix is touched. Offline, all that
/// is missing is named in one error, and nothing is begun.
Result<InstallReport> warm_cache(Session& session, const Plan& plan, WarmForm form);

/// Remembers for statistics what a run found in the cache at `cache_directory`, in which it may fail. Nothing is
/// written for a plan that links nothing.
void note_use_of_cache(const std::string& cache_directory, const Plan& plan);

} // namespace taipan
