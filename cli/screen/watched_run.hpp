#pragma once

#include <memory>

#include "flow/session.hpp"
#include "program/signals.hpp"
#include "screen/progress.hpp"

namespace taipan::cli {

/// What every longer piece of work has: signals that end it, and somebody who is told how it goes. One at a time.
struct WatchedRun {
    /// `quiet`: nothing is shown but warnings.
    WatchedRun(Console& console, bool quiet, int verbosity) : progress(make_progress(console, quiet, verbosity)) {}

    StopSource stop;
    StopOnSignals signals{stop};
    std::unique_ptr<Progress> progress;
};

} // namespace taipan::cli
