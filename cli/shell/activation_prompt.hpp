#pragma once

#include <string>

#include "shell/activation.hpp"
#include "shell/activation_state.hpp"

namespace taipan::cli {

/// `env_prompt` filled in for what the prompt shows after the step; empty with `changeps1: false`. Shells expand what
/// stands in a prompt, so characters of names and paths that would be expanded are shown as '?'.
[[nodiscard]] std::string modifier_for_activation(const std::string& prefix, const ShellState& state,
                                                  const Config& config, const ActivationOptions& options);
[[nodiscard]] std::string modifier_for_deactivation(const std::string& prefix, const ShellState& state,
                                                    const Config& config, const ActivationOptions& options);
[[nodiscard]] std::string modifier_for_reactivation(const std::string& prefix, const ShellState& state,
                                                    const Config& config, const ActivationOptions& options);

/// The prompt without the modifier that is in it now, and with the new one in front.
[[nodiscard]] std::string with_modifier(std::string prompt, const std::string& old_modifier,
                                        const std::string& new_modifier);

} // namespace taipan::cli
