#pragma once

#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/result.hpp"
#include "config/config.hpp"

namespace taipan::cli {

/// What a step between environments changes (conda-spec 5.2, 5.3), as plain data in the order in which it happens.
struct ActivationPlan {
    std::optional<std::string> path_first;       ///< PATH of the environment that is gone back to, before its scripts
    std::vector<std::string> deactivate_scripts; ///< of the environment that is left
    std::vector<std::string> unset;
    std::optional<std::string> prompt; ///< the new modifier; nullopt: the prompt is not ours to change
    std::vector<std::pair<std::string, std::string>> set; ///< on the way in, PATH first
    std::vector<std::string> activate_scripts;
    std::vector<std::string> warnings; ///< for the user: variables that cannot be set
};

/// How the tool that we stand in for goes from one environment to the next, and what the shell needs.
struct ActivationOptions {
    bool stack = false;                  ///< --stack: the environment below stays on PATH
    bool keeps_variables = false;        ///< conda: an environment that is replaced leaves its variables behind
    bool steps_back = false;             ///< mamba: activating the environment below is a deactivation
    bool doubles_percent = false;        ///< zsh and tcsh expand % in prompts
    std::string script_extension{".sh"}; ///< of the scripts that the shell can read
    std::vector<std::pair<std::string, std::string>> program_variables; ///< conda's CONDA_EXE family; empty: unset
};

/// What changes when `prefix` is activated in a process that has `config.environment`. Activating what is active
/// already runs its scripts again and refreshes its variables, on the same level.
Result<ActivationPlan> plan_activation(const std::string& prefix, const Config& config,
                                       const ActivationOptions& options = {});
/// What changes when the active environment is left for the one below; an empty plan when none is active.
Result<ActivationPlan> plan_deactivation(const Config& config, const ActivationOptions& options = {});
/// What the active environment needs after its packages have changed; an empty plan when none is active.
Result<ActivationPlan> plan_reactivation(const Config& config, const ActivationOptions& options = {});

/// conda's name of an environment: `base`, the directory's name below a directory `envs`, else the path.
[[nodiscard]] std::string default_environment_name(const std::string& prefix, const Config& config);

/// How a command is started in an environment.
struct WrappedCommand {
    std::vector<std::string> arguments; ///< program first: an absolute path, or a name that was not found
    std::map<std::string, std::string> environment;
};
/// Without scripts to source, the command itself with the changed variables; otherwise a shell that sources them and
/// then becomes the command (exec), so that signals and the exit code need no help.
[[nodiscard]] WrappedCommand wrap_command(const ActivationPlan& plan, std::vector<std::string> command,
                                          std::map<std::string, std::string> environment);

/// A word in single quotes, as every POSIX shell reads it back.
[[nodiscard]] std::string shell_quoted(std::string_view text);
/// The program as PATH finds it; `name` itself when it has a slash or is not found.
[[nodiscard]] std::string find_program(const std::string& name, const std::map<std::string, std::string>& environment);

} // namespace taipan::cli
