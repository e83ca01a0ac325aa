#include "program/help.hpp"

#include <algorithm>

#include "screen/text.hpp"

namespace taipan::cli {

namespace {

constexpr std::size_t help_column = 30;

std::string option_left(const Option& option) {
    if (option.positional()) return "  " + option.value;
    std::string names;
    std::size_t at = 0;
    while (at <= option.names.size()) {
        const std::size_t end = std::min(option.names.find(',', at), option.names.size());
        const auto name = option.names.substr(at, end - at);
        if (names.empty() && name.starts_with("--"))
            names = "    ";
        else if (!names.empty())
            names += ", ";
        names += name;
        at = end + 1;
    }
    if (!option.value.empty()) names += option.implied_value.empty() ? ' ' + option.value : "[=" + option.value + ']';
    return "  " + names;
}

std::string option_line(const Option& option, std::size_t width) {
    std::string left = option_left(option);
    if (left.size() + 2 > help_column)
        left += '\n' + std::string(help_column, ' ');
    else
        left.append(help_column - left.size(), ' ');
    return left + wrap_words(option.help, help_column, width) + '\n';
}

} // namespace

std::string overview_text(std::string_view group) {
    const std::string prefix = group.empty() ? std::string() : std::string(group) + ' ';
    std::string text = group.empty() ? "taipan installs conda packages, fast.\n\n" : std::string();
    text += "Usage: taipan " + prefix + "COMMAND [options]\n\nCommands:\n";
    for (const auto& entry : commands()) {
        if (!entry.path.starts_with(prefix)) continue;
        std::string left = "  " + std::string(entry.path.substr(prefix.size()));
        left.append(left.size() < 14 ? 14 - left.size() : 1, ' ');
        text += left + std::string(entry.summary) + '\n';
    }
    text += "\nOptions:\n  -h, --help    show this text; `taipan COMMAND --help` tells more of a command\n";
    if (group.empty()) {
        text += "  -V, --version show the version\n\n"
                "Examples:\n"
                "  taipan create -n demo -c conda-forge python=3.11 numpy\n"
                "  taipan run -n demo python -c 'import numpy'\n"
                "  taipan env create -f environment.yml\n";
    }
    return text;
}

std::string command_names() {
    std::vector<std::string> names;
    for (const auto& entry : commands()) {
        std::string name(entry.path.substr(0, entry.path.find(' ')));
        if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(std::move(name));
    }
    std::sort(names.begin(), names.end());
    std::string text;
    for (const auto& name : names) text += name + '\n';
    return text;
}

std::string help_text(const CommandEntry& entry, const Options& options, int width) {
    const auto columns = static_cast<std::size_t>(std::clamp(width, 60, 100));
    std::string text = "Usage: taipan " + std::string(entry.path);
    if (!entry.arguments.empty()) text += ' ' + std::string(entry.arguments);
    text += "\n\n" + wrap_words(entry.summary, 0, columns) + '\n';
    if (!entry.aliases.empty()) text += "Other names: " + std::string(entry.aliases) + '\n';
    std::vector<std::string> groups;
    for (const auto& option : options) {
        if (std::find(groups.begin(), groups.end(), option.group) == groups.end()) groups.push_back(option.group);
    }
    for (const auto& group : groups) {
        std::string lines;
        for (const auto& option : options) {
            if (option.group == group && !option.help.empty()) lines += option_line(option, columns);
        }
        if (!lines.empty()) text += '\n' + group + ":\n" + lines;
    }
    std::string_view examples = entry.examples;
    if (!examples.empty()) text += "\nExamples:\n";
    while (!examples.empty()) {
        const std::size_t end = std::min(examples.find('\n'), examples.size());
        text.append("  ").append(examples.substr(0, end)).append("\n");
        examples.remove_prefix(std::min(end + 1, examples.size()));
    }
    return text;
}

} // namespace taipan::cli
