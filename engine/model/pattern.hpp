#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace taipan {

/// A text constraint of a spec: a literal, a glob with `*`, or a `^regex$`. Immutable; copies share a regex.
class Pattern {
public:
    /// Longest glob or regex, and longest text a regex is tried on: bounds what a hostile index can cost.
    static constexpr std::size_t max_pattern_length = 1024;
    static constexpr std::size_t max_text_length = 1024;

    /// Matches the empty text only.
    Pattern() = default;
    /// `^...$` is a regular expression, a text with `*` a glob, anything else a literal. Fails with
    /// ErrorCode::invalid_argument when a regular expression is malformed or a pattern too long.
    static Result<Pattern> parse(std::string_view text);

    [[nodiscard]] bool matches(std::string_view text) const;
    /// As `matches`; ASCII letters compare without case (a regular expression stays case-sensitive).
    [[nodiscard]] bool matches_ignoring_case(std::string_view text) const;
    [[nodiscard]] const std::string& text() const { return text_; }
    [[nodiscard]] bool is_literal() const { return kind_ == Kind::literal; }

private:
    enum class Kind : unsigned char { literal, glob, regex };
    struct Regex;

    std::string text_;
    std::shared_ptr<const Regex> regex_; // only of Kind::regex
    Kind kind_ = Kind::literal;
};

/// Whole-text glob match, where `*` stands for any run of characters; linear in space, at worst quadratic in time.
[[nodiscard]] bool glob_matches(std::string_view glob, std::string_view text, bool ignore_case = false) noexcept;

} // namespace taipan
