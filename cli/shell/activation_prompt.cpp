#include "shell/activation_prompt.hpp"

#include <algorithm>

#include "base/filesystem.hpp"

// The part of the prompt that names the environment. `{stacked_env}` lists the environments that are on PATH, the
// last one first; which those are follows from the levels below, as conda works it out.

namespace taipan::cli {

namespace {

using Names = std::vector<std::string>;

/// The names on PATH before the step.
Names names_on_path(const ShellState& state, const Config& config) {
    Names names;
    for (int level = 1; level <= std::min(state.level(), 1000); ++level) {
        if (!state.stacked(level) && !names.empty()) names.pop_back();
        names.push_back(default_environment_name(state.prefix_of(level), config));
    }
    return names;
}

std::string harmless(std::string_view text, const ActivationOptions& options) {
    std::string out;
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        if (byte < 0x20 || byte == 0x7f || c == '$' || c == '`' || c == '\\')
            out.push_back('?');
        else
            out.append(c == '%' && options.doubles_percent ? 2 : 1, c);
    }
    return out;
}

std::string filled_in(const std::string& prefix, const Names& names, const Config& config,
                      const ActivationOptions& options) {
    if (!config.changeps1) return {};
    std::string stacked;
    for (auto name = names.rbegin(); name != names.rend(); ++name) stacked += (stacked.empty() ? "" : ",") + *name;
    const std::pair<std::string_view, std::string> fields[] = {
        {"{default_env}", default_environment_name(prefix, config)},
        {"{stacked_env}", stacked},
        {"{prefix}", prefix},
        {"{name}", std::string(base_name(prefix))}};
    std::string text;
    std::string_view rest = config.env_prompt;
    while (!rest.empty()) {
        const auto* field = std::find_if(std::begin(fields), std::end(fields),
                                         [&](const auto& one) { return rest.starts_with(one.first); });
        if (field == std::end(fields)) {
            text.push_back(rest.front());
            rest.remove_prefix(1);
        } else {
            text += harmless(field->second, options);
            rest.remove_prefix(field->first.size());
        }
    }
    return text;
}

} // namespace

std::string modifier_for_activation(const std::string& prefix, const ShellState& state, const Config& config,
                                    const ActivationOptions& options) {
    auto names = names_on_path(state, config);
    if (!options.stack && !names.empty()) names.pop_back();
    names.push_back(default_environment_name(prefix, config));
    return filled_in(prefix, names, config, options);
}

std::string modifier_for_deactivation(const std::string& prefix, const ShellState& state, const Config& config,
                                      const ActivationOptions& options) {
    auto names = names_on_path(state, config);
    if (!names.empty()) names.pop_back();
    if (!state.stacked(state.level()) && state.level() > 1) {
        names.push_back(default_environment_name(state.prefix_of(state.level() - 1), config));
    }
    return filled_in(prefix, names, config, options);
}

std::string modifier_for_reactivation(const std::string& prefix, const ShellState& state, const Config& config,
                                      const ActivationOptions& options) {
    return filled_in(prefix, names_on_path(state, config), config, options);
}

std::string with_modifier(std::string prompt, const std::string& old_modifier, const std::string& new_modifier) {
    if (!old_modifier.empty()) {
        for (auto at = prompt.find(old_modifier); at != std::string::npos; at = prompt.find(old_modifier, at)) {
            prompt.erase(at, old_modifier.size());
        }
    }
    return new_modifier + prompt;
}

} // namespace taipan::cli
