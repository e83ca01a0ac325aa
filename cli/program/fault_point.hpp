#pragma once

#include "base/fault_point.hpp"
#include "program/command.hpp"

namespace taipan::cli {

/// Builds with tests end like by a power cut at the fault point whose number TAIPAN_KILL_AT names (from 1, counted over
/// the whole command), or by the signal whose number is in TAIPAN_KILL_WITH. Other builds have none.
[[nodiscard]] FaultPoint fault_point_of(const Invocation& invocation);

} // namespace taipan::cli
