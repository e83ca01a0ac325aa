#pragma once

#include <string>

#include "config/config.hpp"
#include "program/command.hpp"

namespace taipan::cli {

/// Asks and removes a whole environment: `env remove` and `remove --all`. Refuses the root prefix and the active one.
Result<int> remove_whole_environment(Invocation& invocation, Config config, const std::string& prefix, bool dry_run);

} // namespace taipan::cli
