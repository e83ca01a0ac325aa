#pragma once

#include <string>

#include "base/recorder.hpp"

namespace taipan::cli {

/// A recording in the trace event format that Chrome's tracing page and Perfetto read. Pieces of work of one stage that
/// overlap lie in lanes below each other. Pure.
[[nodiscard]] std::string chrome_trace(const Recording& recording, const std::string& command_line);

} // namespace taipan::cli
