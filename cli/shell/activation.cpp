#include "shell/activation.hpp"

#include <algorithm>

#include <dirent.h>

#include "base/filesystem.hpp"
#include "prefix/environment_variables.hpp"
#include "shell/activation_prompt.hpp"
#include "shell/activation_state.hpp"

// Going from one environment to the next. A plan is made of what changes, from the environment variables alone; others
// carry it out, either on a map of variables or as the text of a shell. What must hold, since conda, mamba and taipan
// take turns in one shell (conda-spec 5.3):
//
//   level n is in CONDA_SHLVL, its prefix in CONDA_PREFIX, and those of the levels below in CONDA_PREFIX_<1..n-1>;
//   an environment that is activated over another one takes its place in PATH, unless it is stacked on it, which
//   CONDA_STACKED_<n> remembers;
//   a variable that an environment overrides is kept in __CONDA_SHLVL_<level below>_<NAME>, and is put back.

namespace taipan::cli {

namespace {

using Variables = std::map<std::string, std::string>;

/// Variables of an environment that can be set; others are told of.
Result<Variables> settable_variables(const std::string& prefix, const Config& config, ActivationPlan& plan) {
    TAIPAN_TRY(auto variables, prefix_variables(prefix, config.envvars_force_uppercase));
    for (auto entry = variables.begin(); entry != variables.end();) {
        const auto& [name, value] = *entry;
        const bool reserved = name == "PATH" || name == "path"; // conda-spec 4.5
        if (!reserved && is_variable_name(name) && value.find('\0') == std::string::npos) {
            ++entry;
            continue;
        }
        if (value != unset_marker) {
            plan.warnings.push_back("the variable '" + name + "' of " + prefix +
                                    (reserved ? " is reserved and is ignored; remove it with `env config vars unset`"
                                              : " cannot be set in a shell and is ignored"));
        }
        entry = variables.erase(entry);
    }
    return variables;
}

std::string saved_name(int level, const std::string& name) {
    return "__CONDA_SHLVL_" + std::to_string(level) + '_' + name;
}

std::string numbered(std::string_view name, int level) { return std::string(name) + std::to_string(level); }

std::vector<std::string> scripts_of(const std::string& prefix, const std::string& moment,
                                    const std::string& extension) {
    const std::string directory = prefix + "/etc/conda/" + moment + ".d";
    std::vector<std::string> scripts;
    if (DIR* stream = ::opendir(directory.c_str())) {
        while (const dirent* entry = ::readdir(stream)) {
            const std::string_view name(entry->d_name);
            if (name.ends_with(extension)) scripts.push_back(directory + '/' + std::string(name));
        }
        static_cast<void>(::closedir(stream));
    }
    std::sort(scripts.begin(), scripts.end());
    if (moment == "deactivate") std::reverse(scripts.begin(), scripts.end());
    return scripts;
}

void add_program_variables(const ActivationOptions& options, ActivationPlan& plan) {
    for (const auto& [name, value] : options.program_variables) {
        if (value.empty())
            plan.unset.push_back(name);
        else
            plan.set.emplace_back(name, value);
    }
}

void describe_level(const std::string& prefix, int level, const std::string& modifier, const Config& config,
                    ActivationPlan& plan) {
    plan.set.emplace_back("CONDA_PREFIX", prefix);
    plan.set.emplace_back("CONDA_SHLVL", std::to_string(level));
    plan.set.emplace_back("CONDA_DEFAULT_ENV", default_environment_name(prefix, config));
    plan.set.emplace_back("CONDA_PROMPT_MODIFIER", modifier);
}

bool is_set(const ActivationPlan& plan, const std::string& name) {
    return std::any_of(plan.set.begin(), plan.set.end(), [&](const auto& one) { return one.first == name; });
}

/// Undoes the variables of an environment that is left, as they were saved when it was entered above `below`.
void leave_variables(const Variables& variables, int below, bool forget, const ShellState& state,
                     ActivationPlan& plan) {
    for (const auto& [name, value] : variables) {
        const auto saved = state.find(saved_name(below, name));
        if (saved && !is_set(plan, name))
            plan.set.emplace_back(name, *saved);
        else if (!saved)
            plan.unset.push_back(name);
        if (saved && forget) plan.unset.push_back(saved_name(below, name));
    }
}

/// Sets the variables of an environment that is entered above `below`, and saves what they replace.
void enter_variables(const Variables& variables, int below, const ShellState& state, ActivationPlan& plan) {
    for (const auto& [name, value] : variables) {
        if (value == unset_marker)
            plan.unset.push_back(name);
        else
            plan.set.emplace_back(name, value);
        if (const auto replaced = state.find(name)) plan.set.emplace_back(saved_name(below, name), *replaced);
    }
}

Variables readable_variables(const std::string& prefix, const Config& config, ActivationPlan& plan) {
    // One that was deleted or damaged while it was active must not keep anybody in it.
    auto variables = settable_variables(prefix, config, plan);
    if (!variables) plan.warnings.push_back(variables.error().describe());
    return variables ? std::move(*variables) : Variables();
}

/// Leaves level `level`, the last one, so that nothing is active.
void leave_last_level(const ShellState& state, const ActivationOptions& options, ActivationPlan& plan) {
    plan.path_first = joined_path(replaced_in_path(state.path(), state.prefix(), {}));
    for (const auto* name : {"CONDA_PREFIX", "CONDA_DEFAULT_ENV", "CONDA_PROMPT_MODIFIER"})
        plan.unset.emplace_back(name);
    plan.set.emplace_back("CONDA_SHLVL", "0");
    add_program_variables(options, plan);
}

} // namespace

std::string default_environment_name(const std::string& prefix, const Config& config) {
    if (prefix == config.root_prefix) return "base";
    return base_name(parent_path(prefix)) == "envs" ? std::string(base_name(prefix)) : prefix;
}

Result<ActivationPlan> plan_activation(const std::string& prefix, const Config& config,
                                       const ActivationOptions& options) {
    const ShellState state(config.environment);
    const int old_level = state.level();
    const std::string old_prefix = state.prefix();
    if (state.active() && old_prefix == prefix) return plan_reactivation(config, options);
    if (options.steps_back && old_level > 1 && state.find(numbered("CONDA_PREFIX_", old_level - 1)) == prefix) {
        return plan_deactivation(config, options);
    }

    ActivationPlan plan;
    TAIPAN_TRY(const auto variables, settable_variables(prefix, config, plan));
    const bool replaces = state.active() && !options.stack;
    const auto path = replaces ? replaced_in_path(state.path(), old_prefix, prefix)
                               : added_to_path(state.path(), prefix, old_level == 0 ? config.root_prefix : "");
    const auto modifier = modifier_for_activation(prefix, state, config, options);
    plan.set.emplace_back("PATH", joined_path(path));
    // The lowest level is 1 even when something has unset CONDA_PREFIX and left CONDA_SHLVL.
    describe_level(prefix, old_level + 1, modifier, config, plan);
    enter_variables(variables, old_level, state, plan);
    if (state.active()) plan.set.emplace_back(numbered("CONDA_PREFIX_", old_level), old_prefix);
    if (state.active() && options.stack) plan.set.emplace_back(numbered("CONDA_STACKED_", old_level + 1), "true");
    if (state.active() && !options.stack) {
        if (state.stacked(old_level + 1)) plan.unset.push_back(numbered("CONDA_STACKED_", old_level + 1));
        plan.deactivate_scripts = scripts_of(old_prefix, "deactivate", options.script_extension);
        if (!options.keeps_variables) {
            auto left = readable_variables(old_prefix, config, plan);
            std::erase_if(left, [&](const auto& one) { return variables.count(one.first) != 0; });
            leave_variables(left, old_level - 1, false, state, plan);
        }
    }
    if (config.changeps1) plan.prompt = modifier;
    add_program_variables(options, plan);
    plan.activate_scripts = scripts_of(prefix, "activate", options.script_extension);
    return plan;
}

Result<ActivationPlan> plan_deactivation(const Config& config, const ActivationOptions& options) {
    ActivationPlan plan;
    const ShellState state(config.environment);
    if (!state.active()) return plan;
    const int below = state.level() - 1;
    const std::string old_prefix = state.prefix();
    plan.deactivate_scripts = scripts_of(old_prefix, "deactivate", options.script_extension);
    const auto left = readable_variables(old_prefix, config, plan);
    const auto prefix = state.find(numbered("CONDA_PREFIX_", below));
    std::string modifier;
    if (below == 0 || !prefix || prefix->empty()) {
        if (below > 0) {
            plan.warnings.push_back("CONDA_PREFIX_" + std::to_string(below) +
                                    " is not set, so it is unknown what to go back to; no environment is active now");
        }
        leave_last_level(state, options, plan);
    } else {
        plan.unset.push_back(numbered("CONDA_PREFIX_", below));
        if (state.stacked(below + 1)) plan.unset.push_back(numbered("CONDA_STACKED_", below + 1));
        plan.path_first =
            joined_path(replaced_in_path(state.path(), old_prefix, state.stacked(below + 1) ? "" : *prefix));
        modifier = modifier_for_deactivation(*prefix, state, config, options);
        describe_level(*prefix, below, modifier, config, plan);
        for (const auto& [name, value] : readable_variables(*prefix, config, plan)) {
            if (value == unset_marker)
                plan.unset.push_back(name);
            else if (!state.find(saved_name(below, name)) || left.count(name) == 0)
                plan.set.emplace_back(name, value);
        }
        add_program_variables(options, plan);
        plan.activate_scripts = scripts_of(*prefix, "activate", options.script_extension);
    }
    if (config.changeps1) plan.prompt = modifier;
    leave_variables(left, below, true, state, plan);
    return plan;
}

Result<ActivationPlan> plan_reactivation(const Config& config, const ActivationOptions& options) {
    ActivationPlan plan;
    const ShellState state(config.environment);
    if (!state.active()) return plan;
    const std::string prefix = state.prefix();
    const auto modifier = modifier_for_reactivation(prefix, state, config, options);
    plan.set.emplace_back("PATH", joined_path(replaced_in_path(state.path(), prefix, prefix)));
    plan.set.emplace_back("CONDA_SHLVL", std::to_string(state.level()));
    plan.set.emplace_back("CONDA_PROMPT_MODIFIER", modifier);
    for (const auto& [name, value] : readable_variables(prefix, config, plan)) {
        if (value == unset_marker)
            plan.unset.push_back(name);
        else
            plan.set.emplace_back(name, value);
    }
    if (config.changeps1) plan.prompt = modifier;
    add_program_variables(options, plan);
    plan.deactivate_scripts = scripts_of(prefix, "deactivate", options.script_extension);
    plan.activate_scripts = scripts_of(prefix, "activate", options.script_extension);
    return plan;
}

} // namespace taipan::cli
