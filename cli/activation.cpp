#include "activation.hpp"

#include <algorithm>
#include <charconv>

#include <dirent.h>
#include <unistd.h>

#include "base/filesystem.hpp"
#include "config/expand.hpp"
#include "prefix/environment_variables.hpp"
#include "target_prefix.hpp"

// Entering an environment. First a plan is made of what changes, from the environment variables alone; then it is
// carried out, either on a map of variables or as the text of a shell. What must hold: activating over an active
// environment replaces its PATH entry in place and remembers it in CONDA_PREFIX_<n>; activating the active one again
// changes no level.

namespace taipan::cli {

namespace {

std::string value_of(const std::map<std::string, std::string>& environment, const std::string& name) {
    const auto found = environment.find(name);
    return found == environment.end() ? std::string() : found->second;
}

std::vector<std::string> scripts_of(const std::string& prefix, const std::string& moment) {
    const std::string directory = prefix + "/etc/conda/" + moment + ".d";
    std::vector<std::string> scripts;
    if (DIR* stream = ::opendir(directory.c_str())) {
        while (const dirent* entry = ::readdir(stream)) {
            const std::string_view name(entry->d_name);
            if (name.ends_with(".sh")) scripts.push_back(directory + '/' + std::string(name));
        }
        static_cast<void>(::closedir(stream));
    }
    std::sort(scripts.begin(), scripts.end());
    return scripts;
}

int shell_level(const std::map<std::string, std::string>& environment) {
    const auto text = value_of(environment, "CONDA_SHLVL");
    int level = 0;
    static_cast<void>(std::from_chars(text.data(), text.data() + text.size(), level)); // no number: level 0
    return std::max(level, 0);
}

std::string new_path(const std::string& path, const std::string& old_prefix, const std::string& prefix) {
    auto entries = split_list(path, ':');
    const std::string bin = prefix + "/bin";
    std::erase(entries, bin);
    const auto old =
        old_prefix.empty() ? entries.end() : std::find(entries.begin(), entries.end(), old_prefix + "/bin");
    if (old != entries.end())
        *old = bin;
    else
        entries.insert(entries.begin(), bin);
    std::string joined;
    for (const auto& entry : entries) joined.append(joined.empty() ? "" : ":").append(entry);
    return joined;
}

bool has_name(const std::vector<std::pair<std::string, std::string>>& variables, const std::string& name) {
    return std::any_of(variables.begin(), variables.end(), [&](const auto& one) { return one.first == name; });
}

} // namespace

std::string prompt_modifier(const std::string& prefix, const Config& config) {
    auto name = environment_name(prefix, config);
    if (name.empty()) name = base_name(parent_path(prefix)) == "envs" ? std::string(base_name(prefix)) : prefix;
    std::string text = config.env_prompt;
    for (const auto& [field, value] : {std::pair<std::string, std::string>("{default_env}", name),
                                       {"{stacked_env}", ""},
                                       {"{prefix}", prefix},
                                       {"{name}", std::string(base_name(prefix))}}) {
        for (auto at = text.find(field); at != std::string::npos; at = text.find(field, at + value.size())) {
            text.replace(at, field.size(), value);
        }
    }
    return text;
}

Result<ActivationPlan> plan_activation(const std::string& prefix, const Config& config) {
    ActivationPlan plan;
    const auto& environment = config.environment;
    const auto old_prefix = value_of(environment, "CONDA_PREFIX");
    const bool active = !old_prefix.empty() && shell_level(environment) > 0;
    const bool again = active && old_prefix == prefix;
    const int level = again ? shell_level(environment) : active ? shell_level(environment) + 1 : 1;

    plan.set.emplace_back("PATH", new_path(value_of(environment, "PATH"), active && !again ? old_prefix : "", prefix));
    plan.set.emplace_back("CONDA_PREFIX", prefix);
    plan.set.emplace_back("CONDA_SHLVL", std::to_string(level));
    auto name = environment_name(prefix, config);
    if (name.empty()) name = base_name(parent_path(prefix)) == "envs" ? std::string(base_name(prefix)) : prefix;
    plan.set.emplace_back("CONDA_DEFAULT_ENV", name);
    plan.set.emplace_back("CONDA_PROMPT_MODIFIER", config.changeps1 ? prompt_modifier(prefix, config) : "");
    TAIPAN_TRY(const auto variables, prefix_variables(prefix));
    for (const auto& [key, value] : variables) {
        if (value == unset_marker)
            plan.unset.push_back(key);
        else
            plan.set.emplace_back(key, value);
    }
    if (active && !again) {
        plan.set.emplace_back("CONDA_PREFIX_" + std::to_string(level - 1), old_prefix);
        // An environment that was deleted while active has no variables and no scripts any more.
        if (const auto left = prefix_variables(old_prefix)) {
            for (const auto& [key, value] : *left) {
                if (value != unset_marker && !has_name(plan.set, key)) plan.unset.push_back(key);
            }
        }
    }
    if (active) {
        plan.deactivate_scripts = scripts_of(old_prefix, "deactivate");
        std::reverse(plan.deactivate_scripts.begin(), plan.deactivate_scripts.end());
    }
    plan.activate_scripts = scripts_of(prefix, "activate");
    return plan;
}

std::string shell_quoted(std::string_view text) {
    std::string out = "'";
    for (const char c : text) {
        if (c == '\'')
            out += "'\\''";
        else
            out.push_back(c);
    }
    return out + "'";
}

std::string find_program(const std::string& name, const std::map<std::string, std::string>& environment) {
    if (name.find('/') != std::string::npos) return name;
    for (const auto& directory : split_list(value_of(environment, "PATH"), ':')) {
        auto path = directory + '/' + name;
        if (!is_directory(path) && ::access(path.c_str(), X_OK) == 0) return path;
    }
    return name;
}

WrappedCommand wrap_command(const ActivationPlan& plan, std::vector<std::string> command,
                            std::map<std::string, std::string> environment) {
    WrappedCommand wrapped;
    if (plan.deactivate_scripts.empty() && plan.activate_scripts.empty()) {
        for (const auto& name : plan.unset) environment.erase(name);
        for (const auto& [name, value] : plan.set) environment.insert_or_assign(name, value);
        if (!command.empty()) command.front() = find_program(command.front(), environment);
        return {std::move(command), std::move(environment)};
    }
    std::string text;
    for (const auto& script : plan.deactivate_scripts) text += ". " + shell_quoted(script) + "\n";
    for (const auto& name : plan.unset) text += "unset " + name + "\n";
    for (const auto& [name, value] : plan.set) text += "export " + name + "=" + shell_quoted(value) + "\n";
    for (const auto& script : plan.activate_scripts) text += ". " + shell_quoted(script) + "\n";
    text += "exec \"$@\"\n";
    // Package scripts are written for bash more often than they say.
    std::string shell = find_program("bash", environment);
    if (shell == "bash") shell = "/bin/sh";
    wrapped.arguments = {shell, "-c", text, "taipan-run"};
    wrapped.arguments.insert(wrapped.arguments.end(), command.begin(), command.end());
    wrapped.environment = std::move(environment);
    return wrapped;
}

} // namespace taipan::cli
