#pragma once

#include <string>

#include "program/command.hpp"
#include "program/common_options.hpp"
#include "shell/shell_kind.hpp"
#include "shell/shell_text.hpp"

namespace taipan::cli {

/// What the shell asks for, whichever spelling it came by: `shell activate X -s bash` or `shell.bash activate X`.
struct ShellRequest {
    Shell shell;
    bool json = false;
    bool stack = false, no_stack = false;
    std::string environment; ///< name or path; empty: default_activation_env
};

/// The prefix that `activate X` means: a path when it has a slash, else the name of an environment. Fails when there
/// is no such directory.
Result<std::string> resolve_activation(const std::string& name_or_path, const Config& config);

/// conda's exception name for what resolve_activation says about a name.
[[nodiscard]] std::string_view activation_error_name(const std::string& name_or_path, ErrorCode code);

enum class ShellAction { activate, deactivate, reactivate };

/// Prints the statements for the shell on stdout, and what the user should know on stderr.
Result<int> print_activation(Invocation& invocation, const Config& config, ShellAction action,
                             const ShellRequest& request);

/// Prints the hook. `completion` and `activation` add to it.
Result<int> print_hook(Invocation& invocation, const Config& config, const Shell& shell, bool as_json = false);

/// `shell.<name>[+json] hook|activate|deactivate|reactivate|commands`: how conda's own shell functions and other
/// programs ask. Returns the exit code.
int run_dotted_shell(Invocation& invocation, std::vector<std::string> words);

} // namespace taipan::cli
