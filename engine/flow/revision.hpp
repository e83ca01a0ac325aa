#pragma once

#include <cstddef>
#include <vector>

#include "base/result.hpp"
#include "flow/plan.hpp"
#include "flow/session.hpp"
#include "prefix/history.hpp"

namespace taipan {

/// Plans the way back (or forth) to what was installed after the revision: exactly those packages, from the caches or
/// the channels they came from. Fills link, unlink and final_state. Fails when there is no such revision, or when one
/// of its packages is nowhere any more.
Result<void> plan_revision(Plan& plan, Session& session, std::size_t revision,
                           const std::vector<PackageRecord>& installed, const std::vector<HistoryBlock>& blocks);

} // namespace taipan
