#include "program/application.hpp"

#include <algorithm>
#include <cstring>
#include <exception>

#include "program/abbreviations.hpp"
#include "program/compatibility.hpp"
#include "program/completion.hpp"
#include "program/errors.hpp"
#include "program/help.hpp"
#include "program/parser.hpp"
#include "program/signals.hpp"
#include "screen/text.hpp"
#include "shell/activation.hpp"
#include "shell/shell_session.hpp"
#include "transaction/child.hpp"

namespace taipan::cli {

namespace {

/// How many of `words` name this command: 0 when they name another one.
std::size_t matched_words(const CommandEntry& entry, const std::vector<std::string>& words) {
    const auto path = split_words(entry.path);
    if (words.size() < path.size()) return 0;
    for (std::size_t i = 0; i < path.size(); ++i) {
        if (words[i] == path[i]) continue;
        const auto aliases = split_words(entry.aliases);
        if (i + 1 < path.size() || std::find(aliases.begin(), aliases.end(), words[i]) == aliases.end()) return 0;
    }
    return path.size();
}

/// The command that most of the first words name; null when they name none.
const CommandEntry* find_command(const std::vector<std::string>& words, std::size_t& length) {
    const CommandEntry* best = nullptr;
    for (const auto& entry : commands()) {
        if (const auto matched = matched_words(entry, words); matched > length) {
            best = &entry;
            length = matched;
        }
    }
    return best;
}

int usage_failure(Invocation& invocation, const std::string& command, const std::string& message) {
    const std::string name = std::string(role_name(invocation.role())) + (command.empty() ? "" : ' ' + command);
    invocation.console.print_error(in_words_of(invocation.role(), name + ": error: " + message) + "\nTry `" + name +
                                   " --help`.\n");
    return exit_usage;
}

/// The longest beginning of `words` that other commands hang below: `env`, `env config vars`.
std::string group_of(const std::vector<std::string>& words, std::size_t& length) {
    std::string group, candidate;
    for (std::size_t i = 0; i < words.size(); ++i) {
        candidate += (i == 0 ? "" : " ") + words[i];
        const bool below = std::any_of(commands().begin(), commands().end(), [&](const CommandEntry& entry) {
            return entry.path.starts_with(candidate + ' ');
        });
        if (!below) break;
        group = candidate;
        length = i + 1;
    }
    return group;
}

/// Words that can follow a group, and their aliases.
std::vector<std::string_view> names_below(const std::string& prefix) {
    std::vector<std::string_view> names;
    for (const auto& entry : commands()) {
        if (!entry.path.starts_with(prefix) || entry.summary.empty()) continue;
        names.push_back(split_words(entry.path.substr(prefix.size())).front());
        for (const auto alias : split_words(entry.aliases)) names.push_back(alias);
    }
    return names;
}

/// conda runs the program `conda-NAME` on PATH for `conda NAME`: conda-pack, conda-lock and others come in this way.
/// Returns only when there is none, or when it cannot be started.
void become_program_of(Invocation& invocation, const std::vector<std::string>& words) {
    if (as_mamba(invocation.role()) || words.front().find('/') != std::string::npos) return;
    const std::string name = "conda-" + words.front();
    WrappedCommand command{words, invocation.environment};
    command.arguments.front() = find_program(name, invocation.environment);
    if (command.arguments.front() == name || !invocation.console.flush()) return;
    invocation.console.print_error(command.arguments.front() +
                                   " cannot be started: " + std::strerror(replace_process(command)) + "\n");
}

/// `taipan`, `taipan --help`, `taipan env`, or something that is no command.
int without_command(Invocation& invocation, const std::vector<std::string>& words) {
    std::size_t at = 0;
    const std::string group = group_of(words, at);
    if (words.size() == at || words[at] == "--help" || words[at] == "-h" || words[at] == "help") {
        const auto text = overview_text(group);
        if (words.size() > at)
            invocation.console.print(text);
        else
            invocation.console.print_error(text);
        return words.size() > at ? exit_success : exit_usage;
    }
    if (group.empty() && (words[at] == "--version" || words[at] == "-V" || words[at] == "version")) {
        invocation.console.print(version_text(invocation.role()));
        return exit_success;
    }
    if (words[at].starts_with('-')) {
        return usage_failure(invocation, group, "a command is expected before " + words[at]);
    }
    if (group.empty()) become_program_of(invocation, words);
    const std::string prefix = group.empty() ? std::string() : group + ' ';
    if (const auto why = refused_command(words); !why.empty()) {
        return usage_failure(invocation, group, words[at] + " is not supported: " + std::string(why));
    }
    std::string message = "there is no command '" + prefix + words[at] + "'";
    if (const auto nearest = nearest_word(words[at], names_below(prefix)); !nearest.empty()) {
        message += "; did you mean '" + prefix + std::string(nearest) + "'?";
    }
    return usage_failure(invocation, group, message);
}

/// mamba's words for a request that cannot be fulfilled are looked for by programs.
std::string mamba_error_text(const Error& error) {
    const bool unsatisfiable = error.code == ErrorCode::unsatisfiable;
    return (unsatisfiable ? "error    libmamba Could not solve for environment specs\n"
                            "    The following packages are incompatible\n"
                          : "") +
           ("critical libmamba " + error.describe()) + "\n";
}

int report(const Invocation& invocation, const Command& command, const Error& error) {
    Console& console = invocation.console;
    auto name = error_name_by_facts(error);
    if (name.empty()) name = command.error_name(error.code);
    if (name.empty()) name = error_name(error.code);
    if (command.wants_json())
        console.print(error_json(error, name));
    else if (as_mamba(invocation.role()))
        console.print_error(in_words_of(invocation.role(), mamba_error_text(error)));
    else
        console.print_error(in_words_of(invocation.role(), error_text(error, name)));
    // As shells tell of a program that a signal has ended, at whatever moment it came.
    if (error.code == ErrorCode::cancelled && ending_signal() != 0) return 128 + ending_signal();
    return name == "ArgumentError" ? exit_usage : exit_failure;
}

int run_command(Invocation& invocation, const CommandEntry& entry, std::vector<std::string> words) {
    Console& console = invocation.console;
    const auto command = entry.make();
    const std::string path(entry.path);
    Options options = command->options();
    CompatibilityOptions compatibility(path, options, invocation.role());
    append(options, compatibility.options());
    words = words_of_role(invocation.role(), path, std::move(words));
    if (!as_mamba(invocation.role())) {
        const auto ambiguous = expand_abbreviations(options, words, command->ends_at_first_word());
        if (!ambiguous.empty()) return usage_failure(invocation, path, ambiguous);
    }
    const auto outcome = parse_options(options, std::move(words), command->ends_at_first_word());
    if (outcome.help) {
        console.print(help_text(entry, options, console.terminal().width()));
        return exit_success;
    }
    console.print_error(compatibility.notes());
    if (const auto refused = compatibility.refusal(); !refused.empty()) return usage_failure(invocation, path, refused);
    if (!outcome.error.empty()) return usage_failure(invocation, path, outcome.error);
    if (const auto wrong = command->usage_error(); !wrong.empty()) {
        // conda's argparse speaks to people only, but what conda itself finds wrong goes to programs, too.
        if (invocation.role() != Role::conda || !command->wants_json()) return usage_failure(invocation, path, wrong);
        console.print(error_json(make_error(ErrorCode::invalid_argument, wrong), "ArgumentError"));
        return exit_usage;
    }
    auto done = command->run(invocation);
    return done ? *done : report(invocation, *command, done.error());
}

/// The longer command that is named after `length` words and some options, which go behind its name then; else `found`.
const CommandEntry* command_after_options(std::vector<std::string>& words, const CommandEntry* found,
                                          std::size_t& length) {
    const auto split = words.begin() + static_cast<std::ptrdiff_t>(length);
    const std::vector<std::string> name(words.begin(), split);
    const auto full_name = [&](const std::vector<std::string>& rest) {
        auto all = name;
        all.insert(all.end(), rest.begin(), rest.end());
        return all;
    };
    const auto is_longer = [&](const std::vector<std::string>& rest) {
        std::size_t matched = length;
        return find_command(full_name(rest), matched) != nullptr;
    };
    std::vector<std::string> rest;
    const auto before = options_before_command({split, words.end()}, is_longer, rest);
    auto all = full_name(rest);
    const auto* longer = find_command(all, length);
    if (longer == nullptr) return found;
    words = std::move(all);
    words.insert(words.begin() + static_cast<std::ptrdiff_t>(length), before.begin(), before.end());
    return longer;
}

/// conda's `package` has no commands below it, only options about files that no package owns.
bool is_conda_package(Role role, const std::vector<std::string>& words) {
    return role == Role::conda && words.size() > 1 && words.front() == "package" && words[1].starts_with('-') &&
           words[1] != "-h" && words[1] != "--help";
}

/// Commands of ours whose names programs beside conda have: `conda lock` is conda-lock where that is installed.
bool is_not_conda_s(const std::vector<std::string>& words) {
    return !words.empty() && (words.front() == "lock" || words.front() == "index" || words.front() == "verify");
}

} // namespace

int run_application(Invocation& invocation) {
    std::vector<std::string> words(invocation.arguments.begin() + (invocation.arguments.empty() ? 0 : 1),
                                   invocation.arguments.end());
    if (words.size() > 1 && words.front() == "help") { // `help create` is `create --help`
        words.erase(words.begin());
        words.emplace_back("--help");
    }
    const bool packs_untracked = is_conda_package(invocation.role(), words);
    std::size_t length = 0;
    const auto* best = find_command(words, length);
    if (best == nullptr) {
        std::vector<std::string> rest;
        const auto is_command = [&](const std::vector<std::string>& first) {
            std::size_t matched = 0;
            return find_command(first, matched) != nullptr;
        };
        const auto before = options_before_command(words, is_command, rest);
        if (const auto* command = before.empty() ? nullptr : find_command(rest, length); command != nullptr) {
            best = command;
            words = std::move(rest);
            words.insert(words.begin() + static_cast<std::ptrdiff_t>(length), before.begin(), before.end());
        }
    }
    // mamba's groups of commands take options before the rest of the command's name: `shell -y init`.
    if (best != nullptr && (best->path == "shell" || as_mamba(invocation.role())) && words.size() > length + 1 &&
        words[length].starts_with('-')) {
        best = command_after_options(words, best, length);
    }
    int code = exit_failure;
    try {
        if (invocation.role() == Role::conda && is_not_conda_s(words)) become_program_of(invocation, words);
        if (!words.empty() && words.front().starts_with("shell.")) {
            code = run_dotted_shell(invocation, std::move(words));
        } else if (!words.empty() && words.front() == "commands") { // conda's list, for completion
            invocation.console.print(words.size() == 1 ? command_names()
                                                       : "Usage: taipan commands\n\nList the names of all commands.\n");
            code = exit_success;
        } else if (!words.empty() && words.front() == "completer") {
            words.erase(words.begin());
            code = run_completer(invocation, std::move(words));
        } else if (packs_untracked) {
            code = usage_failure(invocation, "package",
                                 "conda's package -w, -u, -r is not supported: it looks for and packs files that no "
                                 "package owns; see `taipan verify`, and `taipan package create` for archives");
        } else if (best == nullptr) {
            code = without_command(invocation, words);
        } else {
            words.erase(words.begin(), words.begin() + static_cast<std::ptrdiff_t>(length));
            code = run_command(invocation, *best, std::move(words));
        }
    } catch (const std::exception& failure) { // of a library or of memory: our own code returns errors
        invocation.console.print_error(
            error_text(make_error(ErrorCode::internal, std::string("unexpected failure: ") + failure.what()),
                       error_name(ErrorCode::internal)));
    }
    if (const auto flushed = invocation.console.flush(); !flushed) {
        invocation.console.print_error(error_text(flushed.error(), error_name(flushed.error().code)));
        return exit_failure;
    }
    return code;
}

} // namespace taipan::cli
