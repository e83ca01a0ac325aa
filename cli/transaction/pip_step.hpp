#pragma once

#include <string>
#include <vector>

#include "flow/session.hpp"
#include "program/command.hpp"

namespace taipan::cli {

/// The `pip:` part of an environment file (conda-spec 9.1), or pip's packages of a lock file.
struct PipPart {
    std::vector<std::string> lines; ///< of a requirements file
    std::string directory;          ///< of the environment file: relative paths in the lines are against it
    bool no_deps = false;           ///< the lines are all there is to install
};

/// What is to be installed when the conda packages are there.
struct PipRequest {
    std::vector<PipPart> parts; ///< one a file
    bool use_uv = false;
    [[nodiscard]] bool empty() const { return parts.empty(); }
};

/// Requirement lines for a file in another directory than the one they were written for: files that they name (`-r`,
/// `-c`) are looked for in `directory`.
[[nodiscard]] std::vector<std::string> lines_from_elsewhere(const std::vector<std::string>& lines,
                                                            const std::string& directory);

/// Runs pip (or uv) of the environment, with its output shown. Fails when it is not there or ends non-zero.
Result<void> install_with_pip(Session& session, const std::string& prefix, const PipRequest& request);

} // namespace taipan::cli
