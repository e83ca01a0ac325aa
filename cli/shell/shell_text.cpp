#include "shell/shell_text.hpp"

#include <algorithm>
#include <array>

#include "base/json_writer.hpp"
#include "shell/activation_prompt.hpp"
#include "shell/activation_state.hpp"

// One plan in the languages of many shells. Problem: names and values come from packages, paths and people, and the
// text is evaluated; so nothing but quoted_for() puts them into it, and names that are no variable names never get
// here. fish and csh join the lines of a command substitution by blanks, hence the semicolons.

namespace taipan::cli {

namespace {

std::string fish_quoted(std::string_view text) {
    std::string out = "'";
    for (const char c : text) {
        if (c == '\'' || c == '\\') out.push_back('\\');
        out.push_back(c);
    }
    return out + "'";
}

/// History is expanded inside of quotes too, and a newline ends a word, unless a backslash stands before them.
std::string csh_quoted(std::string_view text) {
    std::string out = "'";
    for (const char c : text) {
        if (c == '\'') {
            out += "'\\''";
            continue;
        }
        if (c == '!' || c == '\n') out.push_back('\\');
        out.push_back(c);
    }
    return out + "'";
}

/// A Python string literal.
std::string python_quoted(std::string_view text) {
    static constexpr std::string_view digits = "0123456789abcdef";
    std::string out = "'";
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        if (c == '\'' || c == '\\')
            out.append("\\").push_back(c);
        else if (byte < 0x20 || byte == 0x7f)
            out.append("\\x").append({digits[byte >> 4U], digits[byte & 15U]});
        else
            out.push_back(c);
    }
    return out + "'";
}

/// PowerShell ends a word at typographic single quotes as well.
std::string powershell_quoted(std::string_view text) {
    static constexpr std::array<std::string_view, 5> quotes = {"'", "\u2018", "\u2019", "\u201a", "\u201b"};
    std::string out = "'";
    while (!text.empty()) {
        const auto* quote = std::find_if(quotes.begin(), quotes.end(), [&](auto one) { return text.starts_with(one); });
        const std::size_t length = quote == quotes.end() ? 1 : quote->size();
        if (quote != quotes.end()) out.append(*quote);
        out.append(text.substr(0, length));
        text.remove_prefix(length);
    }
    return out + "'";
}

std::string fish_list(const std::string& value) {
    const std::map<std::string, std::string> variables{{"PATH", value}};
    std::string words;
    for (const auto& entry : ShellState(variables).path()) words += ' ' + fish_quoted(entry);
    return words;
}

std::string unset_statement(const Shell& shell, const std::string& name, const ShellTextOptions& options) {
    switch (shell.kind) {
    case ShellKind::posix: return options.unset_by_empty_value ? "export " + name + "=''\n" : "unset " + name + "\n";
    case ShellKind::csh: return "unsetenv " + name + ";\n";
    case ShellKind::fish: return "set -e " + name + " || true;\n";
    case ShellKind::xonsh: return "try:\n    del $" + name + "\nexcept KeyError:\n    pass\n";
    case ShellKind::powershell: return "$Env:" + name + " = $null\n";
    case ShellKind::nushell: return "hide-env --ignore-errors " + name + "\n";
    }
    return {};
}

std::string source_statement(const Shell& shell, const std::string& script) {
    const auto word = quoted_for(shell.kind, script);
    switch (shell.kind) {
    case ShellKind::posix: return ". " + word + "\n";
    case ShellKind::csh: return "source " + word + ";\n";
    case ShellKind::fish: return "source " + word + ";\n";
    // A word in quotes of a command line is read as by Python.
    case ShellKind::xonsh: return "source-bash --suppress-skip-message -n " + word + "\n";
    case ShellKind::powershell: return ". " + word + "\n";
    case ShellKind::nushell: return "source " + word + "\n";
    }
    return {};
}

/// The variable of the prompt with the new modifier; shells that ask a function for the prompt need nothing.
std::pair<std::string, std::string> new_prompt(const ActivationPlan& plan, const Shell& shell,
                                               const ShellState& state) {
    const std::string name = shell.kind == ShellKind::posix ? "PS1" : shell.kind == ShellKind::csh ? "prompt" : "";
    const auto old = name.empty() ? std::string() : state.value(name);
    const bool not_ours = old.find("POWERLINE_COMMAND") != std::string::npos;
    if (!plan.prompt || name.empty() || not_ours) return {};
    return {name, with_modifier(old, state.value("CONDA_PROMPT_MODIFIER"), *plan.prompt)};
}

std::string json_text(const ActivationPlan& plan, const std::pair<std::string, std::string>& prompt) {
    JsonWriter json;
    const auto write_path = [&](const std::string& value) {
        const std::map<std::string, std::string> variables{{"PATH", value}};
        json.member("PATH", ShellState(variables).path());
    };
    json.begin_object();
    json.key("path").begin_object();
    if (plan.path_first) write_path(*plan.path_first);
    for (const auto& [name, value] : plan.set) {
        if (name == "PATH") write_path(value);
    }
    json.end_object();
    json.key("vars").begin_object().key("export").begin_object();
    for (const auto& [name, value] : plan.set) {
        if (name != "PATH") json.member(name, value);
    }
    json.end_object();
    json.member("unset", plan.unset);
    json.key("set").begin_object();
    if (!prompt.first.empty()) json.member(prompt.first, prompt.second);
    json.end_object().end_object();
    json.key("scripts").begin_object();
    json.member("activate", plan.activate_scripts);
    json.member("deactivate", plan.deactivate_scripts);
    return json.end_object().end_object().take() + "\n";
}

} // namespace

std::string quoted_for(ShellKind kind, std::string_view text) {
    switch (kind) {
    case ShellKind::posix: return shell_quoted(text);
    case ShellKind::csh: return csh_quoted(text);
    case ShellKind::fish: return fish_quoted(text);
    case ShellKind::xonsh: return python_quoted(text);
    case ShellKind::powershell: return powershell_quoted(text);
    case ShellKind::nushell: {
        JsonWriter word; // a double-quoted word has JSON's escapes
        word.value(text);
        return word.take();
    }
    }
    return {};
}

std::string export_statement(ShellKind kind, const std::string& name, const std::string& value) {
    const auto word = quoted_for(kind, value);
    switch (kind) {
    case ShellKind::posix: return "export " + name + "=" + word + "\n";
    case ShellKind::csh: return "setenv " + name + " " + word + ";\n";
    case ShellKind::fish: return "set -gx " + name + (name == "PATH" ? fish_list(value) : ' ' + word) + ";\n";
    case ShellKind::xonsh: return "$" + name + " = " + word + "\n";
    case ShellKind::powershell: return "$Env:" + name + " = " + word + "\n";
    case ShellKind::nushell: return "$env." + name + " = " + word + "\n";
    }
    return {};
}

std::string activation_text(const ActivationPlan& plan, const Shell& shell,
                            const std::map<std::string, std::string>& environment, const ShellTextOptions& options) {
    const auto prompt = new_prompt(plan, shell, ShellState(environment));
    if (options.json) return json_text(plan, prompt);
    std::string text;
    if (plan.path_first) text += export_statement(shell.kind, "PATH", *plan.path_first);
    for (const auto& script : plan.deactivate_scripts) text += source_statement(shell, script);
    for (const auto& name : plan.unset) text += unset_statement(shell, name, options);
    if (!prompt.first.empty()) {
        const std::string word = quoted_for(shell.kind, prompt.second);
        text += shell.kind == ShellKind::csh ? "set " + prompt.first + "=" + word + ";\n"
                                             : prompt.first + "=" + word + "\n";
    }
    for (const auto& [name, value] : plan.set) text += export_statement(shell.kind, name, value);
    for (const auto& script : plan.activate_scripts) text += source_statement(shell, script);
    return text;
}

} // namespace taipan::cli
