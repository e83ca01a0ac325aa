#include "shell/shell_templates.hpp"

#include <array>
#include <utility>

namespace taipan::cli {

// Each is the text of the file in cli/shell/templates that has its name (cmake/embed_text.cmake).
extern const char* const shell_completion_bash;
extern const char* const shell_completion_zsh;
extern const char* const shell_completion_fish;
extern const char* const shell_hook_sh;
extern const char* const shell_hook_csh;
extern const char* const shell_dispatch_csh;
extern const char* const shell_hook_fish;
extern const char* const shell_hook_xsh;
extern const char* const shell_hook_ps1;
extern const char* const shell_hook_nu;

std::string_view shell_template(std::string_view name) {
    const std::array<std::pair<std::string_view, const char*>, 10> templates = {
        {{"completion.bash", shell_completion_bash},
         {"completion.zsh", shell_completion_zsh},
         {"completion.fish", shell_completion_fish},
         {"hook.sh", shell_hook_sh},
         {"hook.csh", shell_hook_csh},
         {"dispatch.csh", shell_dispatch_csh},
         {"hook.fish", shell_hook_fish},
         {"hook.xsh", shell_hook_xsh},
         {"hook.ps1", shell_hook_ps1},
         {"hook.nu", shell_hook_nu}}};
    for (const auto& [file, text] : templates) {
        if (file == name) return text;
    }
    return {};
}

} // namespace taipan::cli
