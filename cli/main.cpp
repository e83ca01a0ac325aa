#include <cerrno>
#include <climits>
#include <cstdlib>

#include <unistd.h>

#include "application.hpp"

namespace {

std::map<std::string, std::string> read_environment() {
    std::map<std::string, std::string> variables;
    for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry) {
        const std::string_view text(*entry);
        const auto mark = text.find('=');
        if (mark != std::string_view::npos) variables.emplace(text.substr(0, mark), text.substr(mark + 1));
    }
    return variables;
}

/// "/" when the directory was removed under us: absolute paths still work then.
std::string read_working_directory() {
    char* path = ::getcwd(nullptr, 0);
    std::string text = path == nullptr ? "/" : path;
    std::free(path); // NOLINT: getcwd allocates with malloc
    return text;
}

} // namespace

int main(int argc, char** argv) {
    using namespace taipan::cli;
    auto environment = read_environment();
    Console console(detect_terminal(environment));
    Invocation invocation{{argv, argv + argc}, std::move(environment), read_working_directory(), console};
    return run_application(invocation);
}
