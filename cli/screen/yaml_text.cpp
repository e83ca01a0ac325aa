#include "screen/yaml_text.hpp"

#include <algorithm>
#include <array>

#include <fmt/format.h>

namespace taipan::cli {

namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }

/// True when a YAML 1.1 or 1.2 reader would take the word for null, a truth value, a number or a date.
bool means_another_type(std::string_view text) {
    static constexpr std::array<std::string_view, 10> words = {"~",  "null", "true", "false", "yes",
                                                               "no", "on",   "off",  "y",     "n"};
    std::string lower(text);
    for (char& c : lower) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    if (std::find(words.begin(), words.end(), lower) != words.end()) return true;
    const auto first = lower.find_first_not_of("+-");
    if (first == std::string::npos) return false;
    if (lower == ".inf" || lower == ".nan" || lower.substr(first) == ".inf") return true;
    // Anything made of the characters of numbers and dates that starts like one is quoted: too often is harmless.
    return (is_digit(lower[first]) || lower[first] == '.') &&
           lower.find_first_not_of("0123456789abcdefox._+-:tz ") == std::string::npos;
}

bool is_safe_plain(std::string_view text) {
    if (text.empty() || text.front() == ' ' || text.back() == ' ' || text.back() == ':') return false;
    static constexpr std::string_view indicators = ",[]{}#&*!|>'\"%@`";
    if (indicators.find(text.front()) != std::string_view::npos) return false;
    if ((text.front() == '-' || text.front() == '?' || text.front() == ':') && (text.size() == 1 || text[1] == ' ')) {
        return false;
    }
    if (text.find(": ") != std::string_view::npos || text.find(" #") != std::string_view::npos) return false;
    return text != "---" && text != "..." && !means_another_type(text);
}

} // namespace

std::string yaml_scalar(std::string_view text) {
    const bool controls =
        std::any_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
    if (controls) {
        std::string out = "\"";
        for (const char c : text) {
            if (c == '"' || c == '\\')
                out.append("\\").push_back(c);
            else if (c == '\n')
                out += "\\n";
            else if (c == '\t')
                out += "\\t";
            else if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f)
                out += fmt::format("\\x{:02x}", static_cast<unsigned>(c));
            else
                out.push_back(c);
        }
        return out + '"';
    }
    if (is_safe_plain(text)) return std::string(text);
    std::string out = "'";
    for (const char c : text) {
        if (c == '\'') out.push_back('\'');
        out.push_back(c);
    }
    return out + "'";
}

} // namespace taipan::cli
