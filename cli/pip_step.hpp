#pragma once

#include <string>
#include <vector>

#include "command.hpp"
#include "flow/session.hpp"

namespace taipan::cli {

/// The `pip:` part of an environment file (conda-spec 9.1).
struct PipRequest {
    std::vector<std::string> lines; ///< of a requirements file
    std::string directory;          ///< of the environment file: relative paths in the lines are against it
    [[nodiscard]] bool empty() const { return lines.empty(); }
};

/// Runs pip of the environment, with its output shown. Fails when pip is not there or ends non-zero.
Result<void> install_with_pip(Session& session, const std::string& prefix, const PipRequest& request);

} // namespace taipan::cli
