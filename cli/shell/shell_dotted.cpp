#include <algorithm>

#include "program/errors.hpp"
#include "program/help.hpp"
#include "shell/shell_session.hpp"

// `conda shell.posix activate X`: the entry that conda's own shell functions use, and programs that want to know what
// an activation changes (`shell.posix+json`). Words are read as conda reads them, not by the option parser.

namespace taipan::cli {

namespace {

/// What is wrong with the words, as conda says it (ArgumentError, exit code 2).
struct Wrong {
    std::string message;
};

bool take(std::vector<std::string>& words, const std::string& word) {
    const auto found = std::find(words.begin(), words.end(), word);
    if (found == words.end()) return false;
    words.erase(found);
    return true;
}

std::string joined(const std::vector<std::string>& words) {
    std::string text;
    for (const auto& word : words) text.append(text.empty() ? "" : " ").append(word);
    return text;
}

Wrong fill(ShellRequest& request, const std::string& action, std::vector<std::string> words) {
    std::erase(words, "");
    static_cast<void>(take(words, "--dev")); // conda's own development
    if (action == "activate") {
        request.stack = take(words, "--stack");
        request.no_stack = take(words, "--no-stack");
        if (request.stack && request.no_stack) return {"cannot specify both --stack and --no-stack to activate"};
        if (words.size() > 1) return {"activate does not accept more than one argument:\n" + joined(words)};
        if (!words.empty()) request.environment = words.front();
    } else if (!words.empty()) {
        return {action + " does not accept arguments: " + joined(words)};
    }
    return {};
}

Result<Shell> shell_of(std::string name, bool& json) {
    if (const auto plus = name.find('+'); plus != std::string::npos) {
        if (name.substr(plus) != "+json") {
            return make_error(ErrorCode::invalid_argument,
                              "unknown format '" + name.substr(plus) + "'; there is +json");
        }
        json = true;
        name.resize(plus);
    }
    return find_shell(name);
}

Result<int> answer(Invocation& invocation, const std::string& action, const ShellRequest& request) {
    TAIPAN_TRY(const auto config, load_settings(invocation, CommonOptions()));
    if (action == "hook") return print_hook(invocation, config, request.shell);
    const auto wanted = action == "activate"     ? ShellAction::activate
                        : action == "deactivate" ? ShellAction::deactivate
                                                 : ShellAction::reactivate;
    return print_activation(invocation, config, wanted, request);
}

} // namespace

int run_dotted_shell(Invocation& invocation, std::vector<std::string> words) {
    Console& console = invocation.console;
    ShellRequest request;
    auto shell = shell_of(words.front().substr(std::string_view("shell.").size()), request.json);
    const std::string action = words.size() > 1 ? words[1] : std::string();
    words.erase(words.begin(), words.begin() + std::min<std::ptrdiff_t>(2, static_cast<std::ptrdiff_t>(words.size())));
    const auto refuse = [&](const std::string& message) {
        console.print_error("\nArgumentError: " + message + "\n\n");
        return exit_usage;
    };
    if (!shell) return refuse(shell.error().describe());
    request.shell = *shell;
    if (action == "commands") {
        console.print(command_names());
        return exit_success;
    }
    if (action != "hook" && action != "activate" && action != "deactivate" && action != "reactivate") {
        return refuse("'activate', 'deactivate', 'hook', 'commands', or 'reactivate' command must be given" +
                      (action.empty() ? "." : ", not '" + action + "'."));
    }
    if (take(words, "-h") || take(words, "--help")) {
        // On stderr and as a failure, since the caller evaluates what it gets.
        console.print_error("Usage: " + std::string(role_name(invocation.role())) + " " + action +
                            (action == "activate" ? " [--stack | --no-stack] [NAME | PATH]\n" : "\n"));
        return exit_failure;
    }
    if (const auto wrong = fill(request, action, std::move(words)); !wrong.message.empty())
        return refuse(wrong.message);
    const auto done = answer(invocation, action, request);
    if (done) return *done;
    auto name = activation_error_name(request.environment, done.error().code);
    console.print_error(error_text(done.error(), name.empty() ? error_name(done.error().code) : name));
    return exit_failure;
}

} // namespace taipan::cli
