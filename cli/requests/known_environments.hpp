#pragma once

#include <vector>

#include "config/config.hpp"
#include "prefix/registry.hpp"
#include "program/role.hpp"

namespace taipan::cli {

/// All environments that are known of: the root prefix first, if it is one (as mamba, whether it is one or not). As
/// conda: sorted by path, and for root also those that other local users have registered.
[[nodiscard]] std::vector<ListedEnvironment> known_environments(const Config& config, Role role);

} // namespace taipan::cli
