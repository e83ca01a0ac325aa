#include "config/expand.hpp"

#include <algorithm>

namespace taipan {

namespace {

bool is_name_character(char c) {
    return c == '_' || (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

} // namespace

std::string expand_variables(std::string_view text, const std::map<std::string, std::string>& environment) {
    std::string out;
    std::size_t at = 0;
    while (at < text.size()) {
        const std::size_t dollar = text.find('$', at);
        out.append(text.substr(at, dollar - at));
        if (dollar == std::string_view::npos) break;
        const bool braced = dollar + 1 < text.size() && text[dollar + 1] == '{';
        const std::size_t start = dollar + (braced ? 2 : 1);
        std::size_t end = start;
        while (end < text.size() && is_name_character(text[end])) ++end;
        const bool complete = end > start && (!braced || (end < text.size() && text[end] == '}'));
        const auto found =
            complete ? environment.find(std::string(text.substr(start, end - start))) : environment.end();
        if (found == environment.end()) {
            out.push_back('$');
            at = dollar + 1;
            continue;
        }
        out += found->second;
        at = end + (braced ? 1 : 0);
    }
    return out;
}

std::string expand_home(std::string_view path, std::string_view home) {
    if (path.empty() || path.front() != '~' || (path.size() > 1 && path[1] != '/')) return std::string(path);
    return std::string(home).append(path.substr(1));
}

std::string_view trimmed(std::string_view text) {
    constexpr std::string_view blanks = " \t\r\n\f\v";
    const auto first = text.find_first_not_of(blanks);
    if (first == std::string_view::npos) return {};
    return text.substr(first, text.find_last_not_of(blanks) - first + 1);
}

std::vector<std::string> split_list(std::string_view text, char separator) {
    std::vector<std::string> parts;
    std::size_t at = 0;
    while (at <= text.size()) {
        const std::size_t end = std::min(text.find(separator, at), text.size());
        if (const auto part = trimmed(text.substr(at, end - at)); !part.empty()) parts.emplace_back(part);
        at = end + 1;
    }
    return parts;
}

} // namespace taipan
