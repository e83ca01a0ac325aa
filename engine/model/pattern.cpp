// The problem: builds, licenses, channels and names in specs may be literals, globs or regular expressions, and come
// from an index that we do not trust: `std::regex` as usually built recurses per character and backtracks without end.
//
// The approach: literals and globs are matched by hand. A regular expression is compiled once, and with libstdc++ by
// its breadth-first executor, whose time is polynomial and whose recursion does not grow with the text; pattern and
// text are bounded besides. conda searches from the start of the text, with both anchors being part of the pattern.

#if defined(__GNUC__) && !defined(__clang__)
// GCC 12 warns about the inside of <regex> when a sanitizer is on (its bug 105562).
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif

#include "model/pattern.hpp"

#include <algorithm>
#include <regex>

namespace taipan {

struct Pattern::Regex {
    std::regex regex;
};

namespace {

constexpr auto regex_flags = std::regex::ECMAScript | std::regex::optimize
#ifdef __GLIBCXX__
                             | std::regex_constants::__polynomial
#endif
    ;

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

bool same(char a, char b, bool ignore_case) { return a == b || (ignore_case && lower(a) == lower(b)); }

} // namespace

bool glob_matches(std::string_view glob, std::string_view text, bool ignore_case) noexcept {
    // On a mismatch the most recent star takes one more character; earlier stars never need to be tried again.
    std::size_t g = 0;
    std::size_t t = 0;
    std::size_t after_star = std::string_view::npos;
    std::size_t star_text = 0;
    while (t < text.size()) {
        if (g < glob.size() && glob[g] == '*') {
            after_star = ++g;
            star_text = t;
        } else if (g < glob.size() && same(glob[g], text[t], ignore_case)) {
            ++g;
            ++t;
        } else if (after_star != std::string_view::npos) {
            g = after_star;
            t = ++star_text;
        } else {
            return false;
        }
    }
    while (g < glob.size() && glob[g] == '*') ++g;
    return g == glob.size();
}

Result<Pattern> Pattern::parse(std::string_view text) {
    Pattern pattern;
    pattern.text_ = text;
    const bool is_regex = text.size() >= 2 && text.front() == '^' && text.back() == '$';
    if (!is_regex) {
        if (text.find('*') != std::string_view::npos) pattern.kind_ = Kind::glob;
        return pattern;
    }
    if (text.size() > max_pattern_length)
        return make_error(ErrorCode::invalid_argument,
                          "the regular expression '" + std::string(text.substr(0, 100)) + "...' is too long");
    try {
        pattern.regex_ = std::make_shared<const Regex>(Regex{std::regex(text.begin(), text.end(), regex_flags)});
    } catch (const std::regex_error& error) {
        return make_error(ErrorCode::invalid_argument,
                          "invalid regular expression '" + std::string(text) + "': " + error.what());
    }
    pattern.kind_ = Kind::regex;
    return pattern;
}

bool Pattern::matches(std::string_view text) const {
    switch (kind_) {
    case Kind::literal: return text == text_;
    case Kind::glob: return glob_matches(text_, text);
    case Kind::regex: break;
    }
    if (text.size() > max_text_length) return false;
    try {
        return std::regex_search(text.begin(), text.end(), regex_->regex, std::regex_constants::match_continuous);
    } catch (const std::regex_error&) { // too complex for its limits: it cannot be shown to match
        return false;
    }
}

bool Pattern::matches_ignoring_case(std::string_view text) const {
    switch (kind_) {
    case Kind::literal:
        return std::equal(text.begin(), text.end(), text_.begin(), text_.end(),
                          [](char a, char b) { return same(a, b, true); });
    case Kind::glob: return glob_matches(text_, text, true);
    case Kind::regex: break;
    }
    return matches(text);
}

} // namespace taipan
