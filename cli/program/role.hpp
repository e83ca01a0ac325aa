#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "shell/activation.hpp"

namespace taipan::cli {

/// The program that we are called as. Through a link of that name taipan stands in for conda, mamba or micromamba:
/// shell functions, marks in rc files and the forms of output are those of that program.
enum class Role { taipan, conda, mamba, micromamba };

/// What the last part of the program's path says; any other name is taipan itself.
[[nodiscard]] Role role_of(std::string_view program);
[[nodiscard]] std::string_view role_name(Role role);
/// mamba and micromamba, which are one program in all but the shell function's name.
[[nodiscard]] constexpr bool as_mamba(Role role) { return role == Role::mamba || role == Role::micromamba; }

/// A message with the commands that it advises, "`taipan ...`", under the name that we are called by.
[[nodiscard]] std::string in_words_of(Role role, std::string text);

/// The releases whose behaviour is followed, which programs ask for before they use a feature.
inline constexpr std::string_view followed_conda_version = "26.7.1", followed_mamba_version = "2.8.1";

/// What `--version` prints: the name and version for taipan and conda, the version alone for mamba and micromamba.
[[nodiscard]] std::string version_text(Role role);

/// The variable that holds the path of the program in a shell: TAIPAN_EXE, CONDA_EXE or MAMBA_EXE.
[[nodiscard]] std::string_view program_variable(Role role);
/// The word in the marks of rc files: `# >>> WORD initialize >>>`.
[[nodiscard]] std::string_view block_word(Role role);

/// How that program goes from one environment to the next.
[[nodiscard]] ActivationOptions activation_options(Role role, const std::string& executable,
                                                   const std::string& root_prefix);

/// The root prefix that a program in `<root>/bin`, `<root>/condabin` or `<root>/envs/<name>/bin` belongs to; nullopt
/// when it does not lie in an environment.
[[nodiscard]] std::optional<std::string> root_of_program(const std::string& executable);

} // namespace taipan::cli
