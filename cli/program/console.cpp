#include "program/console.hpp"

#include <cerrno>
#include <cstdio>

#include <sys/ioctl.h>
#include <unistd.h>

#include "base/filesystem.hpp"

namespace taipan::cli {

namespace {

std::string value_of(const std::map<std::string, std::string>& environment, const std::string& name) {
    const auto found = environment.find(name);
    return found == environment.end() ? std::string() : found->second;
}

bool is_utf8_locale(const std::map<std::string, std::string>& environment) {
    for (const auto* name : {"LC_ALL", "LC_CTYPE", "LANG"}) {
        const auto locale = value_of(environment, name);
        if (locale.empty()) continue;
        for (const auto* word : {"UTF-8", "utf-8", "UTF8", "utf8"}) {
            if (locale.find(word) != std::string::npos) return true;
        }
        return false;
    }
    return false;
}

} // namespace

int Terminal::width() const {
    winsize size{};
    if (::ioctl(STDERR_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0) return 80;
    return size.ws_col;
}

Terminal detect_terminal(const std::map<std::string, std::string>& environment) {
    Terminal terminal;
    terminal.input = ::isatty(STDIN_FILENO) == 1;
    terminal.output = ::isatty(STDOUT_FILENO) == 1;
    terminal.errors = ::isatty(STDERR_FILENO) == 1;
    const auto kind = value_of(environment, "TERM");
    terminal.live = terminal.errors && !kind.empty() && kind != "dumb";
    terminal.colour = terminal.live && terminal.output && value_of(environment, "NO_COLOR").empty();
    terminal.unicode = is_utf8_locale(environment);
    return terminal;
}

void Console::print(std::string_view text) {
    // A failure stays in the stream's error flag until flush().
    static_cast<void>(std::fwrite(text.data(), 1, text.size(), stdout));
}

void Console::print_error(std::string_view text) {
    static_cast<void>(std::fflush(stdout));
    // Nobody is left to hear that stderr is gone.
    static_cast<void>(std::fwrite(text.data(), 1, text.size(), stderr));
}

Result<bool> Console::confirm(std::string_view question, bool default_answer) {
    print(std::string(question) + (default_answer ? " [Y/n] " : " [y/N] "));
    for (;;) {
        static_cast<void>(std::fflush(stdout));
        std::string answer;
        char byte = 0;
        ssize_t got = 0;
        while ((got = ::read(STDIN_FILENO, &byte, 1)) == 1 && byte != '\n') answer.push_back(byte);
        if (got < 0 && errno == EINTR) {
            print("\n");
            return make_error(ErrorCode::cancelled, "stopped before anything was changed");
        }
        if (got <= 0 && answer.empty()) {
            print("\n");
            return make_error(ErrorCode::invalid_argument,
                              "cannot ask for confirmation, since there is no input; say -y to go ahead without");
        }
        while (!answer.empty() && (answer.back() == '\r' || answer.back() == ' ')) answer.pop_back();
        if (answer.empty()) return default_answer;
        if (answer == "y" || answer == "Y" || answer == "yes" || answer == "Yes" || answer == "YES") return true;
        if (answer == "n" || answer == "N" || answer == "no" || answer == "No" || answer == "NO") return false;
        print("Please answer y or n: ");
    }
}

Result<void> Console::flush() {
    const bool failed = std::fflush(stdout) != 0 || std::ferror(stdout) != 0;
    if (failed && errno != EPIPE) return system_error(errno, "cannot write to", "the standard output");
    return {};
}

} // namespace taipan::cli
