// The values of the history's spec lines are Python list literals, since conda writes them with repr(); old blocks have
// comma-separated lists, in which a spec like `foo >=1,<2` has commas of its own (conda-spec 4.3).

#include <algorithm>

#include "prefix/history.hpp"

namespace taipan {

namespace {

void append_repr(std::string& out, std::string_view text) {
    const bool has_single = text.find('\'') != std::string_view::npos;
    const char quote = has_single && text.find('"') == std::string_view::npos ? '"' : '\'';
    out.push_back(quote);
    for (char c : text) {
        if (c == '\\' || c == quote) out.push_back('\\');
        if (c == '\n')
            out += "\\n";
        else
            out.push_back(c);
    }
    out.push_back(quote);
}

/// Strings of a list literal, with either quote.
std::vector<std::string> parse_literal(std::string_view text) {
    std::vector<std::string> items;
    for (std::size_t at = 0; at < text.size(); ++at) {
        const char quote = text[at];
        if (quote != '\'' && quote != '"') continue;
        std::string item;
        for (++at; at < text.size() && text[at] != quote; ++at) {
            if (text[at] == '\\' && at + 1 < text.size()) ++at;
            item.push_back(text[at]);
        }
        items.push_back(std::move(item));
    }
    return items;
}

/// Whether a piece between commas starts a new spec and does not go on with the version of the one before.
bool starts_spec(std::string_view piece) {
    const std::size_t first = piece.find_first_not_of(' ');
    if (first == std::string_view::npos) return false;
    const char c = piece[first];
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

std::vector<std::string> parse_old_list(std::string_view text) {
    std::vector<std::string> items;
    while (!text.empty()) {
        const std::size_t comma = std::min(text.find(','), text.size());
        const std::string_view piece = text.substr(0, comma);
        if (items.empty() || starts_spec(piece)) {
            const std::size_t first = std::min(piece.find_first_not_of(' '), piece.size());
            items.emplace_back(piece.substr(first));
        } else {
            items.back().append(",").append(piece);
        }
        text.remove_prefix(std::min(comma + 1, text.size()));
    }
    for (std::string& item : items) item.resize(item.find_last_not_of(' ') + 1);
    return items;
}

} // namespace

std::string python_list(const std::vector<std::string>& items) {
    std::string text = "[";
    for (const std::string& item : items) {
        if (text.size() > 1) text += ", ";
        append_repr(text, item);
    }
    return text + ']';
}

std::vector<std::string> parse_spec_list(std::string_view text) {
    return text.starts_with('[') ? parse_literal(text) : parse_old_list(text);
}

} // namespace taipan
