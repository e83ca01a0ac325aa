// What a kill leaves behind, and who may touch it: the lock beside the prefix belongs to whoever makes, replaces or
// removes it as a whole, the lock in its conda-meta to whoever changes it. A repair takes both, in this order, so that
// it never undoes the work of a process that is alive.

#include "flow/interrupted.hpp"

#include <algorithm>

#include "base/filesystem.hpp"
#include "flow/replaced_prefix.hpp"
#include "prefix/journal.hpp"
#include "prefix/prefix_data.hpp"
#include "prefix/registry.hpp"
#include "prefix/transaction.hpp"

namespace taipan {

namespace {

bool has_open_change(const std::string& prefix) {
    return exists(prefix + '/' + trash_directory) || exists(prefix + '/' + prefix_lock_path);
}

/// With the lock beside the prefix held.
Result<void> repair_change(const std::string& prefix, const Config& config, EventSink& sink, double patience_seconds,
                           const FaultPoint& fault_point, const std::atomic<bool>* stop) {
    if (!has_open_change(prefix)) {
        // A create may have been killed between making conda-meta and the directory of the journal.
        if (is_directory(prefix + "/conda-meta")) TAIPAN_CHECK(remove_unbegun_prefix(prefix));
        return {};
    }
    TAIPAN_TRY(const FileLock lock,
               take_prefix_lock(prefix + '/' + prefix_lock_path, prefix, sink, patience_seconds, stop));
    TAIPAN_TRY(const auto recovery, Transaction::recover(prefix, fault_point));
    if (recovery == Transaction::Recovery::nothing) return {};
    sink.note(Severity::info, "repaired " + prefix + " after an interrupted run");
    if (!is_environment(prefix) || !config.register_envs || config.home.empty()) return {};
    // A finished `create` may have been killed before it told.
    return register_environment(config.home, prefix);
}

} // namespace

Result<FileLock> take_prefix_lock(const std::string& lock_path, const std::string& prefix, EventSink& sink,
                                  double patience_seconds, const std::atomic<bool>* stop) {
    constexpr double unnoticed_seconds = 0.5;
    auto lock = FileLock::acquire(lock_path, std::min(patience_seconds, unnoticed_seconds), stop);
    if (lock || lock.error().code != ErrorCode::locked || patience_seconds <= unnoticed_seconds) return lock;
    sink.note(Severity::warning, "waiting for another command that changes " + prefix);
    return FileLock::acquire(lock_path, patience_seconds, stop);
}

Result<void> repair_interrupted(const std::string& prefix, const Config& config, EventSink& sink,
                                double patience_seconds, const FaultPoint& fault_point, const std::atomic<bool>* stop) {
    if (!has_interrupted_replacement(prefix) && !has_open_change(prefix)) return {};
    const auto repair = [&]() -> Result<void> {
        TAIPAN_TRY(const FileLock claim,
                   take_prefix_lock(claim_lock_path(prefix), prefix, sink, patience_seconds, stop));
        TAIPAN_TRY(const bool restored, restore_replaced_environment(prefix));
        if (restored) sink.note(Severity::info, "put back " + prefix + ", whose replacement was interrupted");
        return repair_change(prefix, config, sink, patience_seconds, fault_point, stop);
    };
    auto repaired = repair();
    if (repaired || patience_seconds > 0) return repaired;
    const ErrorCode code = repaired.error().code;
    if (code == ErrorCode::locked) return {};
    if (code != ErrorCode::not_writable) return repaired;
    sink.note(Severity::warning, "an interrupted run has left " + prefix +
                                     " half changed, and it cannot be repaired: " + repaired.error().message);
    return {};
}

} // namespace taipan
