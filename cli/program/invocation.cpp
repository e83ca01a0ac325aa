#include "program/command.hpp"

namespace taipan::cli {

std::string Invocation::command_line() const {
    std::string line;
    for (const auto& word : arguments) line.append(line.empty() ? "" : " ").append(word);
    return line;
}

std::string Invocation::variable(const std::string& name) const {
    const auto found = environment.find(name);
    return found == environment.end() ? std::string() : found->second;
}

} // namespace taipan::cli
