#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "config/config.hpp"

namespace taipan::cli {

/// What entering an environment changes (conda-spec 5.2, 5.3), as plain data in the order in which it happens.
struct ActivationPlan {
    std::vector<std::string> deactivate_scripts; ///< of the environment that is left
    std::vector<std::string> unset;
    std::vector<std::pair<std::string, std::string>> set; ///< PATH first
    std::vector<std::string> activate_scripts;
};

/// What changes when `prefix` is activated in a process that has `config.environment`.
Result<ActivationPlan> plan_activation(const std::string& prefix, const Config& config);

/// How a command is started in an environment.
struct WrappedCommand {
    std::vector<std::string> arguments; ///< program first: an absolute path, or a name that was not found
    std::map<std::string, std::string> environment;
};
/// Without scripts to source, the command itself with the changed variables; otherwise a shell that sources them and
/// then becomes the command (exec), so that signals and the exit code need no help.
[[nodiscard]] WrappedCommand wrap_command(const ActivationPlan& plan, std::vector<std::string> command,
                                          std::map<std::string, std::string> environment);

/// `env_prompt` with its fields filled in.
[[nodiscard]] std::string prompt_modifier(const std::string& prefix, const Config& config);
/// A word in single quotes, as every POSIX shell reads it back.
[[nodiscard]] std::string shell_quoted(std::string_view text);
/// The program as PATH finds it; `name` itself when it has a slash or is not found.
[[nodiscard]] std::string find_program(const std::string& name, const std::map<std::string, std::string>& environment);

} // namespace taipan::cli
