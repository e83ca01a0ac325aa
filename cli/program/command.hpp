#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "program/console.hpp"
#include "program/option.hpp"
#include "program/role.hpp"

namespace taipan::cli {

/// The process as a command sees it; gathered once in main, so that nothing below reads globals.
struct Invocation {
    std::vector<std::string> arguments; ///< the whole command line, program first
    std::map<std::string, std::string> environment;
    std::string working_directory;
    Console& console;
    std::string executable{}; ///< absolute path of this program, links not followed

    /// The program that we are called as.
    [[nodiscard]] Role role() const { return arguments.empty() ? Role::taipan : role_of(arguments.front()); }
    [[nodiscard]] std::string command_line() const;                    ///< joined by blanks, for history
    [[nodiscard]] std::string variable(const std::string& name) const; ///< empty when not set
};

/// What a command did and the exit code it asks for.
inline constexpr int exit_success = 0, exit_failure = 1, exit_usage = 2;

/// One thing that can be typed after `taipan`. Lives for one run: options() binds to its members, then run().
class Command {
public:
    Command() = default;
    Command(const Command&) = delete;
    Command& operator=(const Command&) = delete;
    virtual ~Command() = default;

    [[nodiscard]] virtual Options options() = 0;
    /// True when the first word that is no option ends our options: `run`.
    [[nodiscard]] virtual bool ends_at_first_word() const { return false; }
    /// What is wrong with the combination of options; empty when nothing is. Exit code 2.
    [[nodiscard]] virtual std::string usage_error() const { return {}; }
    /// True when errors are to be one JSON document on stdout.
    [[nodiscard]] virtual bool wants_json() const { return false; }
    /// conda's name for an error where this command's differs from the usual one; empty otherwise.
    [[nodiscard]] virtual std::string_view error_name(ErrorCode) const { return {}; }
    /// Does it; returns the exit code. Errors are reported by the caller.
    virtual Result<int> run(Invocation& invocation) = 0;
};

/// One row of the table of commands.
struct CommandEntry {
    std::string_view path;      ///< words after the program name: "create", "env list"
    std::string_view aliases;   ///< other spellings of the last word, blank-separated
    std::string_view arguments; ///< for the usage line
    std::string_view summary;   ///< one sentence; empty: not shown anywhere
    std::string_view examples;  ///< lines without indentation
    std::unique_ptr<Command> (*make)();
};

/// Every command, in the order of the help text.
[[nodiscard]] const std::vector<CommandEntry>& commands();

std::unique_ptr<Command> make_create();
std::unique_ptr<Command> make_install();
std::unique_ptr<Command> make_update();
std::unique_ptr<Command> make_remove();
std::unique_ptr<Command> make_list();
std::unique_ptr<Command> make_search();
std::unique_ptr<Command> make_repoquery_search();
std::unique_ptr<Command> make_repoquery_depends();
std::unique_ptr<Command> make_repoquery_whoneeds();
std::unique_ptr<Command> make_info();
std::unique_ptr<Command> make_env_create();
std::unique_ptr<Command> make_env_update();
std::unique_ptr<Command> make_env_list();
std::unique_ptr<Command> make_env_remove();
std::unique_ptr<Command> make_env_export();
std::unique_ptr<Command> make_run();
std::unique_ptr<Command> make_rename();
std::unique_ptr<Command> make_notices();
std::unique_ptr<Command> make_compare();
std::unique_ptr<Command> make_doctor();
std::unique_ptr<Command> make_config();
std::unique_ptr<Command> make_config_list();
std::unique_ptr<Command> make_config_describe();
std::unique_ptr<Command> make_config_sources();
std::unique_ptr<Command> make_config_get();
std::unique_ptr<Command> make_config_set();
std::unique_ptr<Command> make_config_append();
std::unique_ptr<Command> make_config_prepend();
std::unique_ptr<Command> make_config_remove();
std::unique_ptr<Command> make_config_remove_key();
std::unique_ptr<Command> make_clean();
std::unique_ptr<Command> make_verify();
std::unique_ptr<Command> make_lock();
std::unique_ptr<Command> make_package_extract();
std::unique_ptr<Command> make_package_create();
std::unique_ptr<Command> make_package_transmute();
std::unique_ptr<Command> make_warm();
std::unique_ptr<Command> make_cache_key();
std::unique_ptr<Command> make_cache_pack();
std::unique_ptr<Command> make_cache_prune();
std::unique_ptr<Command> make_cache_stats();
std::unique_ptr<Command> make_cache_unpack();
std::unique_ptr<Command> make_image();
std::unique_ptr<Command> make_index();
std::unique_ptr<Command> make_auth_login();
std::unique_ptr<Command> make_auth_logout();
std::unique_ptr<Command> make_vars_list();
std::unique_ptr<Command> make_vars_set();
std::unique_ptr<Command> make_vars_unset();
std::unique_ptr<Command> make_activate();
std::unique_ptr<Command> make_deactivate();
std::unique_ptr<Command> make_completion();
std::unique_ptr<Command> make_man();
std::unique_ptr<Command> make_init();
std::unique_ptr<Command> make_shell();
std::unique_ptr<Command> make_shell_init();
std::unique_ptr<Command> make_shell_deinit();
std::unique_ptr<Command> make_shell_reinit();
std::unique_ptr<Command> make_shell_hook();
std::unique_ptr<Command> make_shell_activate();
std::unique_ptr<Command> make_shell_deactivate();
std::unique_ptr<Command> make_shell_reactivate();

} // namespace taipan::cli
