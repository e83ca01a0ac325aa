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

} // namespace taipan::cli
