#pragma once

#include <string>

#include "base/recorder.hpp"

namespace taipan::cli {

/// What the page says besides the recording.
struct TimingsFacts {
    std::string command_line; ///< without credentials
    std::string outcome;      ///< "succeeded", or what went wrong
    bool ok = false;
    int workers = 0;
};

/// A page of its own, without anything to load, that shows a recording: the way of each package through the stages,
/// how much was at work, and how fast bytes came. Pure.
[[nodiscard]] std::string timings_page(const Recording& recording, const TimingsFacts& facts);

} // namespace taipan::cli
