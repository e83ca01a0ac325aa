#pragma once

#include "base/result.hpp"
#include "config/config.hpp"
#include "flow/plan.hpp"

namespace taipan {

/// Appends to the prefix's history what this run did, without credentials; a reproducible one says nothing of the
/// machine and the hour. After the records are written.
Result<void> record_in_history(const Plan& plan, const Config& config);

} // namespace taipan
