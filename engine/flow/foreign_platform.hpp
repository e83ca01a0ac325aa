#pragma once

#include "config/config.hpp"
#include "model/channel.hpp"

namespace taipan {

/// Whether what is installed is for another platform than the one we run on (`--platform`, `subdir`). Its programs
/// cannot be relied on to run here: link scripts, which call them, are not run, and its python compiles nothing.
[[nodiscard]] inline bool is_for_foreign_platform(const Config& config) { return config.subdir != native_subdir(); }

} // namespace taipan
