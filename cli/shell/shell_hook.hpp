#pragma once

#include <string>

#include "base/result.hpp"
#include "program/role.hpp"
#include "shell/shell_kind.hpp"

namespace taipan::cli {

/// What the text of a hook depends on.
struct HookRequest {
    Shell shell;
    Role role = Role::taipan;
    std::string executable, root_prefix;
    bool completion = true;
    bool changes_prompt = true;
    std::string activate; ///< environment to activate at the end; empty for none
};

/// Statements that make the command a function of the shell, so that it can change the shell's variables.
[[nodiscard]] std::string hook_text(const HookRequest& request);

/// What completes the command's words; empty for shells other than bash, zsh and fish. It works without the hook too.
[[nodiscard]] std::string completion_text(const HookRequest& request);

/// csh cannot hold functions: the file that its alias sources, below the root prefix.
[[nodiscard]] std::string dispatcher_path(const HookRequest& request);
[[nodiscard]] std::string dispatcher_text(const HookRequest& request);

/// Writes the dispatcher when the shell needs one and it is missing or another one.
Result<void> write_dispatcher(const HookRequest& request);

} // namespace taipan::cli
