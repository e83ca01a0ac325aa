#pragma once

#include <atomic>
#include <string>

#include "base/event.hpp"
#include "base/fault_point.hpp"
#include "base/filesystem.hpp"
#include "base/result.hpp"
#include "config/config.hpp"

namespace taipan {

/// Repairs what a killed run has left at this prefix, if there is anything: a change that is undone or finished, an
/// environment that was half made or half removed, one whose replacement did not come. Every command that opens a
/// prefix asks for it first.
///
/// While another process works on the prefix, waits up to `patience_seconds`; after that fails with ErrorCode::locked,
/// unless the patience is 0: then nothing is done, for a reader can live with that. Tells `sink` what was done. `stop`,
/// if there is one, ends the waiting.
Result<void> repair_interrupted(const std::string& prefix, const Config& config, EventSink& sink,
                                double patience_seconds, const FaultPoint& fault_point = {},
                                const std::atomic<bool>* stop = nullptr);

/// How long a run that changes a prefix waits for another one.
inline constexpr double prefix_lock_patience_seconds = 600;

/// Takes a lock file of the prefix. When another process has it, says so and waits, as repair_interrupted does.
Result<FileLock> take_prefix_lock(const std::string& lock_path, const std::string& prefix, EventSink& sink,
                                  double patience_seconds, const std::atomic<bool>* stop);

} // namespace taipan
