#include "shell/activation.hpp"

#include <unistd.h>

#include "base/filesystem.hpp"
#include "config/expand.hpp"

// Carrying out an activation for one command: on a map of variables, or, when there are scripts, in a shell of its own.

namespace taipan::cli {

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
    const auto path = environment.find("PATH");
    if (path == environment.end()) return name;
    for (const auto& directory : split_list(path->second, ':')) {
        auto candidate = directory + '/' + name;
        if (!is_directory(candidate) && ::access(candidate.c_str(), X_OK) == 0) return candidate;
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
