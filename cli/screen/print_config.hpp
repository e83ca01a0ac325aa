#pragma once

#include <string>
#include <vector>

#include "config/config.hpp"
#include "flow/plan.hpp"

namespace taipan::cli {

/// What a command was understood to ask for.
struct UnderstoodRequest {
    Action action = Action::install;
    std::string prefix, name, file_name; ///< `name`: of -n or of a file, `file_name`: of a file
    std::vector<std::string> specs, channels;
};

/// mamba's `--print-config-only`: where a request would go and what it asks for, as YAML under mamba's keys.
[[nodiscard]] std::string understood_config(const Config& config, const UnderstoodRequest& request);

} // namespace taipan::cli
