#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace taipan::cli {

/// Shells that read the same language.
enum class ShellKind { posix, csh, fish, xonsh, powershell, nushell };

/// A shell that we can write for.
struct Shell {
    ShellKind kind = ShellKind::posix;
    std::string name; ///< bash, zsh, dash, ...

    /// What scripts in activate.d end with.
    [[nodiscard]] std::string script_extension() const;
};

/// The names that `-s/--shell` takes, in the order of help texts.
[[nodiscard]] const std::vector<std::string_view>& shell_names();

/// The shell of that name. Fails with what can be used instead for cmd.exe and unknown names.
Result<Shell> find_shell(std::string_view name);

/// The shell that started us, by the name of the parent process, else by $SHELL; fails when neither is known.
Result<Shell> guess_shell(const std::map<std::string, std::string>& environment);

} // namespace taipan::cli
