#include <array>
#include <cstdlib>

#include <unistd.h>

#include "base/filesystem.hpp"
#include "program/application.hpp"
#include "program/signals.hpp"
#include "shell/activation.hpp"

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

/// The path that we were called by: a link's own path, since its name says what we stand in for.
std::string find_executable(const std::string& called, const std::map<std::string, std::string>& environment,
                            const std::string& working_directory) {
    const auto found = taipan::cli::find_program(called, environment);
    if (found.find('/') != std::string::npos) return taipan::absolute_path(found, working_directory);
    std::array<char, 4096> path{}; // a caller may say anything in argv[0]
    const auto length = ::readlink("/proc/self/exe", path.data(), path.size());
    return length > 0 ? std::string(path.data(), static_cast<std::size_t>(length)) : called;
}

} // namespace

int main(int argc, char** argv) {
    using namespace taipan::cli;
    report_files_cut_short();
    auto environment = read_environment();
    Console console(detect_terminal(environment));
    const auto directory = read_working_directory();
    const auto executable = find_executable(argc > 0 ? argv[0] : "taipan", environment, directory);
    Invocation invocation{{argv, argv + argc}, std::move(environment), directory, console, executable};
    return run_application(invocation);
}
