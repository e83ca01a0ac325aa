// Entry points of noarch python packages: a one-line grammar, checked because its parts become a file name and
// python source, and the script that is generated from it.

#include "link/entry_points.hpp"

#include <algorithm>

namespace taipan {

namespace {

std::string_view strip(std::string_view text) {
    constexpr std::string_view blanks = " \t\r\n\f\v";
    const std::size_t first = text.find_first_not_of(blanks);
    if (first == std::string_view::npos) return {};
    return text.substr(first, text.find_last_not_of(blanks) - first + 1);
}

bool is_identifier(std::string_view text) {
    const auto starts = [](unsigned char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c >= 0x80; // UTF-8 letters are legal
    };
    if (text.empty() || !starts(static_cast<unsigned char>(text.front()))) return false;
    return std::all_of(text.begin(), text.end(),
                       [&](char c) { return starts(static_cast<unsigned char>(c)) || (c >= '0' && c <= '9'); });
}

bool is_dotted_identifier(std::string_view text) {
    while (true) {
        const std::size_t dot = std::min(text.find('.'), text.size());
        if (!is_identifier(text.substr(0, dot))) return false;
        if (dot == text.size()) return true;
        text.remove_prefix(dot + 1);
    }
}

bool is_command_name(std::string_view text) {
    constexpr std::string_view forbidden("/\\\0\r\n", 5);
    return !text.empty() && text.front() != '.' && text.find_first_of(forbidden) == std::string_view::npos;
}

} // namespace

Result<EntryPoint> parse_entry_point(std::string_view text) {
    const auto broken = [&](const char* why) {
        return make_error(ErrorCode::corrupt_package, "invalid entry point '" + std::string(text) + "': " + why);
    };
    const std::size_t equals = text.find('=');
    if (equals == std::string_view::npos) return broken("it has no '='");
    const std::string_view right = text.substr(equals + 1);
    const std::size_t colon = right.rfind(':');
    if (colon == std::string_view::npos) return broken("it names no function after ':'");
    EntryPoint entry_point{std::string(strip(text.substr(0, equals))), std::string(strip(right.substr(0, colon))),
                           std::string(strip(right.substr(colon + 1)))};
    if (!is_command_name(entry_point.command)) return broken("the command is no plain file name");
    if (!is_dotted_identifier(entry_point.module)) return broken("the module is no dotted python name");
    if (!is_dotted_identifier(entry_point.attribute)) return broken("the function is no dotted python name");
    return entry_point;
}

std::string entry_point_text(const EntryPoint& entry_point, std::string_view python_executable, Platform platform) {
    std::string text;
    if (platform != Platform::windows) {
        text.append("#!").append(python_executable).append("\n");
        if (text.size() > shebang_limit(platform) || python_executable.find(' ') != std::string_view::npos) {
            // Read by sh as `exec python script args`, by python as a string that is thrown away.
            text.assign("#!/bin/sh\n'''exec' \"").append(python_executable).append("\" \"$0\" \"$@\" #'''\n");
        }
    }
    const std::string_view attribute = entry_point.attribute;
    const std::string_view imported = attribute.substr(0, attribute.find('.'));
    text.append("# -*- coding: utf-8 -*-\nimport re\nimport sys\n\nfrom ").append(entry_point.module);
    text.append(" import ").append(imported);
    text.append("\n\nif __name__ == '__main__':\n"
                "    sys.argv[0] = re.sub(r'(-script\\.pyw?|\\.exe)?$', '', sys.argv[0])\n"
                "    sys.exit(");
    text.append(attribute).append("())\n");
    return text;
}

} // namespace taipan
