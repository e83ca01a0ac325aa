// Problem: packages may bring scripts that must run before or after linking, in the environment conda promises
// (conda-spec 5.1); what they print is not for the user, what they leave in `.messages.txt` is.
// Approach: bash (sh where there is none) as a child with an environment that is made here. A post-link script is
// sourced by a few lines of our own that source activate.d before it and deactivate.d after it.
// What must hold: `.messages.txt` is gone afterwards, also when the script fails.

#include "link/link_scripts.hpp"

#include <cerrno>
#include <string_view>

#include <unistd.h>

#include "base/filesystem.hpp"
#include "link/child_process.hpp"

namespace taipan {

namespace {

constexpr std::size_t shown_lines = 20; // of a failing script's output

std::string_view kind_name(LinkScript script) {
    switch (script) {
    case LinkScript::pre_link: return "pre-link";
    case LinkScript::post_link: return "post-link";
    case LinkScript::pre_unlink: return "pre-unlink";
    }
    return "?";
}

std::string shell_program() { return exists("/bin/bash") ? "/bin/bash" : "/bin/sh"; }

std::string path_with(const std::string& first, const std::map<std::string, std::string>& environment) {
    const auto old = environment.find("PATH");
    if (old == environment.end() || old->second.empty()) return first;
    return first + ':' + old->second;
}

std::string last_lines(std::string_view text) {
    while (!text.empty() && text.back() == '\n') text.remove_suffix(1);
    std::size_t begin = text.size();
    for (std::size_t lines = 0; begin > 0; --begin) {
        if (text[begin - 1] == '\n' && ++lines == shown_lines) break;
    }
    return std::string(text.substr(begin));
}

/// Reads and deletes what the script wants the user to know.
Result<std::string> take_messages(const std::string& prefix) {
    const std::string path = prefix + "/.messages.txt";
    if (!exists(path)) return std::string();
    auto text = read_file(path, std::uint64_t{1} << 20);
    if (::unlink(path.c_str()) != 0) return system_error(errno, "cannot remove", path);
    return text;
}

ChildCommand command_of(LinkScript script, const PackageRecord& package, const LinkScriptContext& context,
                        const std::string& script_path) {
    ChildCommand command;
    const std::string directory(parent_path(script_path));
    const std::string shell = shell_program();
    if (script == LinkScript::post_link) {
        command.environment = activated_environment(context.environment, context.prefix, context.prefix_variables);
        command.arguments = {shell, "-c", activated_script_text(), shell, script_path};
    } else {
        command.environment = context.environment;
        command.environment["PATH"] = path_with(directory, context.environment);
        command.arguments = {shell, "-x", script_path};
    }
    command.environment["ROOT_PREFIX"] = context.root_prefix;
    command.environment["PREFIX"] = context.prefix;
    command.environment["PKG_NAME"] = package.name;
    command.environment["PKG_VERSION"] = package.version;
    command.environment["PKG_BUILDNUM"] = std::to_string(package.build_number);
    if (script == LinkScript::pre_link) command.environment["SOURCE_DIR"] = context.package_dir;
    command.working_directory = directory;
    command.stop = context.stop;
    return command;
}

} // namespace

std::string link_script_path(LinkScript script, const std::string& package_name) {
    return "bin/." + package_name + '-' + std::string(kind_name(script)) + ".sh";
}

Result<LinkScriptOutcome> run_link_script(LinkScript script, const PackageRecord& package,
                                          const LinkScriptContext& context) {
    LinkScriptOutcome outcome;
    const std::string& base = script == LinkScript::pre_link ? context.package_dir : context.prefix;
    const std::string script_path = base + '/' + link_script_path(script, package.name);
    if (!exists(script_path)) return outcome;
    outcome.ran = true;
    auto child = run_child(command_of(script, package, context, script_path));
    auto messages = take_messages(context.prefix);
    if (!child) return std::move(child).error();
    if (!messages)
        outcome.warnings.push_back(messages.error().describe());
    else
        outcome.messages = *std::move(messages);
    outcome.output = std::move(child->output);
    if (child->exit_status == 0) return outcome;

    std::string text = "the " + std::string(kind_name(script)) + " script of " + package.dist_name() +
                       " failed with status " + std::to_string(child->exit_status);
    const std::string said = last_lines(outcome.output);
    text += said.empty() ? " and said nothing" : "; it said:\n" + said;
    if (!outcome.messages.empty()) text += "\nIt left this message:\n" + outcome.messages;
    if (script != LinkScript::pre_unlink) return make_error(ErrorCode::link_script_failed, std::move(text));
    outcome.warnings.push_back(std::move(text));
    return outcome;
}

std::map<std::string, std::string> activated_environment(std::map<std::string, std::string> environment,
                                                         const std::string& prefix,
                                                         const std::map<std::string, std::string>& prefix_variables) {
    constexpr std::string_view unset_marker = "***unset***";
    const std::string name = base_name(parent_path(prefix)) == "envs" ? std::string(base_name(prefix)) : prefix;
    environment["PATH"] = path_with(prefix + "/bin", environment);
    environment["CONDA_PREFIX"] = prefix;
    environment["CONDA_SHLVL"] = "1";
    environment["CONDA_DEFAULT_ENV"] = name;
    environment["CONDA_PROMPT_MODIFIER"] = '(' + name + ") ";
    for (const auto& [variable, value] : prefix_variables) {
        if (value == unset_marker)
            environment.erase(variable);
        else
            environment[variable] = value;
    }
    return environment;
}

std::string activated_script_text() {
    // Pathname expansion is sorted, so reversing it needs no tool of the system. The file's `exit` must
    // not skip deactivate.d, hence the trap.
    return R"(taipan_deactivate() {
    taipan_status=$?
    trap - EXIT
    taipan_count=0
    for taipan_script in "$CONDA_PREFIX"/etc/conda/deactivate.d/*.sh; do
        if [ -f "$taipan_script" ]; then taipan_count=$((taipan_count + 1)); fi
    done
    while [ "$taipan_count" -gt 0 ]; do
        taipan_index=0
        for taipan_script in "$CONDA_PREFIX"/etc/conda/deactivate.d/*.sh; do
            if [ -f "$taipan_script" ]; then
                taipan_index=$((taipan_index + 1))
                if [ "$taipan_index" -eq "$taipan_count" ]; then break; fi
            fi
        done
        taipan_count=$((taipan_count - 1))
        . "$taipan_script"
    done
    exit "$taipan_status"
}
for taipan_script in "$CONDA_PREFIX"/etc/conda/activate.d/*.sh; do
    if [ -f "$taipan_script" ]; then . "$taipan_script"; fi
done
trap taipan_deactivate EXIT
taipan_script=$1
shift
. "$taipan_script"
)";
}

std::string shell_quote(const std::string& text) {
    std::string out = "'";
    for (char c : text) {
        if (c == '\'')
            out += "'\\''";
        else
            out.push_back(c);
    }
    return out + '\'';
}

} // namespace taipan
