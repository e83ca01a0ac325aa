#include "shell/shell_hook.hpp"

#include <array>

#include "base/filesystem.hpp"
#include "shell/shell_templates.hpp"
#include "shell/shell_text.hpp"

// The hook: variables that say where the program is, the template of the shell's language filled in, completion, and
// perhaps a first activation. conda's function asks `conda shell.posix ...`, so that the real conda answers as well
// when CONDA_EXE is pointed at it; the others ask `shell ... --shell NAME`.

namespace taipan::cli {

namespace {

std::string filled_in(std::string_view text, const std::vector<std::pair<std::string_view, std::string>>& words) {
    std::string out;
    while (!text.empty()) {
        bool replaced = false;
        if (text.front() == '@') {
            for (const auto& [word, value] : words) {
                if (!text.starts_with(word)) continue;
                out += value;
                text.remove_prefix(word.size());
                replaced = true;
                break;
            }
        }
        if (replaced) continue;
        out.push_back(text.front());
        text.remove_prefix(1);
    }
    return out;
}

/// How the template of each language asks for the text to evaluate; its own arguments come along.
std::string call_of(const HookRequest& request) {
    const std::string name(role_name(request.role)), variable(program_variable(request.role));
    const bool dotted = request.role == Role::conda;
    const std::string shell = dotted ? "shell." + request.shell.name : request.shell.name;
    switch (request.shell.kind) {
    case ShellKind::posix:
        return dotted ? "__conda_exe " + shell + " \"$@\"" : "__" + name + "_exe shell \"$@\" --shell " + shell;
    case ShellKind::csh: return dotted ? shell + " $__conda_words:q" : "shell $__" + name + "_words:q --shell " + shell;
    case ShellKind::fish:
        return dotted ? "$CONDA_EXE " + shell + " $argv" : "$" + variable + " shell $argv --shell " + shell;
    case ShellKind::xonsh: return dotted ? "'" + shell + "', *words" : "'shell', *words, '--shell', '" + shell + "'";
    case ShellKind::powershell: return dotted ? shell + " @Args" : "shell @Args --shell " + shell;
    case ShellKind::nushell: return {};
    }
    return {};
}

std::string_view template_name(ShellKind kind) {
    switch (kind) {
    case ShellKind::posix: return "hook.sh";
    case ShellKind::csh: return "hook.csh";
    case ShellKind::fish: return "hook.fish";
    case ShellKind::xonsh: return "hook.xsh";
    case ShellKind::powershell: return "hook.ps1";
    case ShellKind::nushell: return "hook.nu";
    }
    return {};
}

std::string from_template(std::string_view name, const HookRequest& request) {
    const auto quoted = [&](const std::string& text) { return quoted_for(request.shell.kind, text); };
    return filled_in(shell_template(name), {{"@NAME@", std::string(role_name(request.role))},
                                            {"@VARIABLE@", std::string(program_variable(request.role))},
                                            {"@CALL@", call_of(request)},
                                            {"@CONDABIN@", quoted(request.root_prefix + "/condabin")},
                                            {"@FILE@", quoted(dispatcher_path(request))},
                                            {"@CHANGES_PROMPT@", request.changes_prompt ? "$true" : "$false"}});
}

std::string variables_text(const HookRequest& request) {
    const auto exported = [&](const std::string& name, const std::string& value) {
        return export_statement(request.shell.kind, name, value);
    };
    if (request.role != Role::conda) {
        return exported(std::string(program_variable(request.role)), request.executable) +
               exported("MAMBA_ROOT_PREFIX", request.root_prefix);
    }
    std::string text;
    for (const auto& [name, value] :
         activation_options(request.role, request.executable, request.root_prefix).program_variables) {
        // conda empties what it has no use for, so that it is set under `set -u`.
        if (!value.empty() || request.shell.kind == ShellKind::posix) text += exported(name, value);
    }
    return text;
}

} // namespace

std::string hook_text(const HookRequest& request) {
    std::string text = variables_text(request) + from_template(template_name(request.shell.kind), request) +
                       (request.completion ? completion_text(request) : std::string());
    if (!request.activate.empty()) {
        const bool ends = request.shell.kind == ShellKind::csh || request.shell.kind == ShellKind::fish;
        text += std::string(role_name(request.role)) + " activate " + quoted_for(request.shell.kind, request.activate) +
                (ends ? ";\n" : "\n");
    }
    return text;
}

std::string completion_text(const HookRequest& request) {
    const bool known = request.shell.name == "bash" || request.shell.name == "zsh" || request.shell.name == "fish";
    return known ? from_template("completion." + request.shell.name, request) : std::string();
}

std::string dispatcher_path(const HookRequest& request) {
    // <root>/etc/profile.d/conda.csh is a file of the conda package.
    const std::string name(role_name(request.role));
    return request.root_prefix + "/etc/profile.d/" + (request.role == Role::taipan ? name : "taipan-" + name) + ".csh";
}

std::string dispatcher_text(const HookRequest& request) { return from_template("dispatch.csh", request); }

Result<void> write_dispatcher(const HookRequest& request) {
    if (request.shell.kind != ShellKind::csh) return {};
    const auto path = dispatcher_path(request);
    const auto text = dispatcher_text(request);
    if (const auto old = read_file(path, 1U << 20U); old && *old == text) return {};
    TAIPAN_CHECK(make_directories(std::string(parent_path(path))));
    return write_file_atomic(path, text);
}

} // namespace taipan::cli
