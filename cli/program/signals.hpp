#pragma once

#include "flow/session.hpp"

namespace taipan::cli {

/// While it lives, SIGINT, SIGTERM and SIGHUP ask `stop` to end the run (the third one ends the process at once), and
/// SIGPIPE does nothing: a closed pipe must not kill a half-done transaction. Child processes get the default
/// handling. One at a time.
class StopOnSignals {
public:
    explicit StopOnSignals(StopSource& stop);
    StopOnSignals(const StopOnSignals&) = delete;
    StopOnSignals& operator=(const StopOnSignals&) = delete;
    ~StopOnSignals();
};

/// The number of the last signal that asked for an end; 0: there was none.
[[nodiscard]] int ending_signal();

/// While true, the first signal ends the process instead: libsolv cannot be stopped, a solve can take minutes, and
/// there is nothing on disk yet that would have to be undone.
void end_at_once_on_signal(bool ends);

/// From now on, reading a mapped file that another program has cut short ends the process with a message and exit code
/// 1, not with a core dump. A prefix that was being changed is repaired by the next command, as after any kill.
void report_files_cut_short();

} // namespace taipan::cli
