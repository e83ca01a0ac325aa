#include "shell/shell_kind.hpp"

#include <algorithm>
#include <array>

#include <unistd.h>

#include "base/filesystem.hpp"
#include "config/expand.hpp"
#include "program/parser.hpp"

namespace taipan::cli {

namespace {

struct Known {
    std::string_view name;
    ShellKind kind;
};

// The first ones are those with tests in the real shell.
constexpr std::array<Known, 16> known_shells = {{{"bash", ShellKind::posix},
                                                 {"zsh", ShellKind::posix},
                                                 {"fish", ShellKind::fish},
                                                 {"dash", ShellKind::posix},
                                                 {"ksh", ShellKind::posix},
                                                 {"posix", ShellKind::posix},
                                                 {"tcsh", ShellKind::csh},
                                                 {"csh", ShellKind::csh},
                                                 {"xonsh", ShellKind::xonsh},
                                                 {"powershell", ShellKind::powershell},
                                                 {"nushell", ShellKind::nushell},
                                                 // other spellings
                                                 {"ash", ShellKind::posix},
                                                 {"sh", ShellKind::posix},
                                                 {"pwsh", ShellKind::powershell},
                                                 {"nu", ShellKind::nushell},
                                                 {"mksh", ShellKind::posix}}};
constexpr std::size_t listed_shells = 11;

std::string list_of_names() {
    std::string text;
    for (const auto name : shell_names()) text.append(text.empty() ? "" : ", ").append(name);
    return text;
}

} // namespace

std::string Shell::script_extension() const {
    switch (kind) {
    case ShellKind::posix:
    case ShellKind::xonsh: return ".sh"; // xonsh has bash read them
    case ShellKind::csh: return ".csh";
    case ShellKind::fish: return ".fish";
    case ShellKind::powershell: return ".ps1";
    case ShellKind::nushell: return ".nu";
    }
    return ".sh";
}

const std::vector<std::string_view>& shell_names() {
    static const std::vector<std::string_view> names = [] {
        std::vector<std::string_view> listed;
        for (std::size_t i = 0; i < listed_shells; ++i) listed.push_back(known_shells[i].name);
        return listed;
    }();
    return names;
}

Result<Shell> find_shell(std::string_view name) {
    for (const auto& known : known_shells) {
        if (known.name == name) return Shell{known.kind, std::string(name)};
    }
    if (name == "cmd.exe" || name == "cmd") {
        return make_error(ErrorCode::invalid_argument,
                          "cmd.exe is a shell of Windows, for which taipan is not made; use one of " + list_of_names());
    }
    std::string message = "unknown shell '" + std::string(name) + "'; ";
    const auto nearest = nearest_word(name, shell_names());
    if (!nearest.empty()) message += "did you mean " + std::string(nearest) + "? ";
    return make_error(ErrorCode::invalid_argument, message + "It can be one of " + list_of_names());
}

Result<Shell> guess_shell(const std::map<std::string, std::string>& environment) {
    // Not there on other systems than Linux; $SHELL has to do then.
    if (const auto parent = read_file("/proc/" + std::to_string(::getppid()) + "/comm", 4096)) {
        std::string name(trimmed(*parent));
        while (name.starts_with('-')) name.erase(0, 1); // a login shell
        if (auto shell = find_shell(name)) return shell;
    }
    const auto variable = environment.find("SHELL");
    if (variable != environment.end()) {
        if (auto shell = find_shell(base_name(variable->second))) return shell;
    }
    return make_error(ErrorCode::invalid_argument,
                      "it is not known which shell this is; say it with -s, as one of " + list_of_names());
}

} // namespace taipan::cli
