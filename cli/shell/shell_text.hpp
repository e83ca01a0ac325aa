#pragma once

#include <map>
#include <string>
#include <string_view>

#include "shell/activation.hpp"
#include "shell/shell_kind.hpp"

namespace taipan::cli {

/// How the text is written beyond the shell's language.
struct ShellTextOptions {
    /// conda's way in POSIX shells: `export X=''` for unset, which `set -u` scripts survive.
    bool unset_by_empty_value = false;
    bool json = false; ///< conda's `shell.<name>+json`
};

/// The plan as statements that the shell evaluates; every value arrives as it is, whatever characters it has.
[[nodiscard]] std::string activation_text(const ActivationPlan& plan, const Shell& shell,
                                          const std::map<std::string, std::string>& environment,
                                          const ShellTextOptions& options = {});

/// A word of that shell's language that stands for exactly this text.
[[nodiscard]] std::string quoted_for(ShellKind kind, std::string_view text);
/// The statement that exports a variable, with its end.
[[nodiscard]] std::string export_statement(ShellKind kind, const std::string& name, const std::string& value);

} // namespace taipan::cli
