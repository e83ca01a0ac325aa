#include "shell/shell_session.hpp"

#include "base/filesystem.hpp"
#include "base/json_writer.hpp"
#include "config/expand.hpp"
#include "prefix/prefix_data.hpp"
#include "program/errors.hpp"
#include "requests/target_prefix.hpp"
#include "shell/activation_state.hpp"
#include "shell/shell_hook.hpp"

// The half of shell support that answers the shell function. Whatever goes wrong, nothing may be on stdout then: the
// function evaluates what is there.

namespace taipan::cli {

namespace {

std::string environment_to_activate(const Invocation& invocation, const Config& config) {
    const bool conda = invocation.role() == Role::conda;
    if (!config.auto_activate.value_or(!as_mamba(invocation.role()))) return {};
    // A shell started in an environment stays in it; conda goes to its base.
    if (!conda && !invocation.variable("CONDA_PREFIX").empty()) return {};
    const auto prefix = resolve_activation(config.default_activation_env, config);
    return prefix && is_environment(*prefix) ? config.default_activation_env : std::string();
}

ActivationOptions options_for(const Invocation& invocation, const Config& config, const Shell& shell) {
    auto options = activation_options(invocation.role(), invocation.executable, config.root_prefix);
    options.script_extension = shell.script_extension();
    options.doubles_percent = shell.name == "zsh" || shell.name == "tcsh";
    return options;
}

/// mamba's form of the hook, for programs that ask for it.
std::string hook_json(const Shell& shell, const std::string& text) {
    JsonWriter json;
    json.begin_object();
    json.key("actions").begin_object().member("print", text).end_object();
    json.key("context").begin_object().member("shell_type", shell.name).end_object();
    json.member("operation", "shell_hook").member("success", true);
    return json.end_object().take() + "\n";
}

} // namespace

Result<std::string> resolve_activation(const std::string& name_or_path, const Config& config) {
    const auto checked = [](std::string prefix) -> Result<std::string> {
        if (prefix.find(':') == std::string::npos) return prefix;
        return make_error(ErrorCode::invalid_argument,
                          "the path '" + prefix + "' has a ':' in it, which cannot be part of PATH");
    };
    if (name_or_path.find('/') != std::string::npos || name_or_path == "~" || name_or_path == "." ||
        name_or_path == "..") {
        const auto prefix = absolute_path(expand_home(name_or_path, config.home), config.working_directory);
        if (is_directory(prefix + "/conda-meta") || (prefix == config.root_prefix && is_directory(prefix)))
            return checked(prefix);
        return make_error(ErrorCode::environment_not_found, "Not a conda environment: " + prefix);
    }
    if (name_or_path == "base" || name_or_path == "root") {
        if (is_directory(config.root_prefix)) return checked(config.root_prefix);
        return make_error(ErrorCode::environment_not_found, "Not a conda environment: " + config.root_prefix +
                                                                " (the root prefix; say another one with -r or "
                                                                "MAMBA_ROOT_PREFIX)");
    }
    for (const auto& directory : config.envs_dirs) {
        if (auto path = directory + '/' + name_or_path; is_directory(path)) return checked(std::move(path));
    }
    return make_error(ErrorCode::environment_not_found,
                      "Could not find conda environment: " + name_or_path +
                          "\nYou can list all discoverable environments with `taipan env list`.");
}

std::string_view activation_error_name(const std::string& name_or_path, ErrorCode code) {
    const bool by_name = name_or_path.find('/') == std::string::npos && name_or_path != "base";
    return by_name && code == ErrorCode::environment_not_found ? "EnvironmentNameNotFound" : "";
}

Result<int> print_activation(Invocation& invocation, const Config& config, ShellAction action,
                             const ShellRequest& request) {
    auto options = options_for(invocation, config, request.shell);
    ActivationPlan plan;
    if (action == ShellAction::activate) {
        const ShellState state(config.environment);
        options.stack =
            !request.no_stack &&
            (request.stack || (config.auto_stack > 0 && state.level() > 0 && state.level() <= config.auto_stack));
        const auto& name = request.environment.empty() ? config.default_activation_env : request.environment;
        TAIPAN_TRY(const auto prefix, resolve_activation(name, config));
        TAIPAN_TRY(plan, plan_activation(prefix, config, options));
    } else if (action == ShellAction::deactivate) {
        TAIPAN_TRY(plan, plan_deactivation(config, options));
    } else {
        TAIPAN_TRY(plan, plan_reactivation(config, options));
    }
    ShellTextOptions text;
    text.unset_by_empty_value = invocation.role() == Role::conda;
    text.json = request.json || request.shell.kind == ShellKind::nushell;
    for (const auto& warning : plan.warnings) invocation.console.print_error("WARNING: " + warning + "\n");
    invocation.console.print(activation_text(plan, request.shell, config.environment, text));
    return exit_success;
}

Result<int> print_hook(Invocation& invocation, const Config& config, const Shell& shell, bool as_json) {
    HookRequest request;
    request.shell = shell;
    request.role = invocation.role();
    request.executable = invocation.executable;
    request.root_prefix = config.root_prefix;
    request.changes_prompt = config.changeps1;
    request.activate = environment_to_activate(invocation, config);
    TAIPAN_CHECK(write_dispatcher(request));
    const auto text = hook_text(request);
    invocation.console.print(as_json ? hook_json(shell, text) : text);
    return exit_success;
}

} // namespace taipan::cli
