#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "flow/plan.hpp"
#include "flow/session.hpp"

namespace taipan {

/// The moment, in seconds since the epoch, that a reproducible environment says it was made at: SOURCE_DATE_EPOCH, or
/// else the time of the newest of its packages.
[[nodiscard]] std::int64_t moment_of(const Config& config, const std::vector<PackageRecord>& packages);

/// `%Y-%m-%d %H:%M:%S`, in UTC.
[[nodiscard]] std::string utc_time(std::int64_t seconds);

/// What the history calls a command that is to leave the same wherever and however it was typed.
[[nodiscard]] std::string neutral_command(Action action);

/// The last step of a run: conda-meta goes, if `slim` of the configuration says so; with `reproducible`, times and
/// modes of the environment become those that the same packages have everywhere. `made_now`: files that belong to no
/// package are this run's as well.
Result<void> settle_environment(Session& session, const std::string& prefix, bool made_now);

} // namespace taipan
