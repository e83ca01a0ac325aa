#include "model/pattern.hpp"

#include <catch2/catch.hpp>

#include <string>

using taipan::glob_matches;
using taipan::Pattern;

TEST_CASE("globs match whole texts", "[pattern]") {
    struct Row {
        const char* glob;
        const char* text;
        bool result;
    };
    const Row rows[] = {
        {"", "", true},           {"", "a", false},          {"*", "", true},
        {"*", "abc", true},       {"a*", "abc", true},       {"a*", "bac", false},
        {"*c", "abc", true},      {"*c", "abcd", false},     {"a*c", "abc", true},
        {"a*c", "ac", true},      {"a*c", "acb", false},     {"a*b*c", "a1b2b3c", true},
        {"a**c", "abc", true},    {"*a*a*", "a", false},     {"*a*a*", "aa", true},
        {"1.*.3", "1.2.3", true}, {"1.*.3", "1x2.3", false}, {"a.c", "abc", false},
        {"[ab]*", "a", false},    {"*ab", "aab", true},
    };
    for (const Row& row : rows) {
        CAPTURE(row.glob, row.text);
        CHECK(glob_matches(row.glob, row.text) == row.result);
    }
    CHECK(glob_matches("A*c", "abC", true));
    CHECK_FALSE(glob_matches("A*c", "abC"));
}

TEST_CASE("a pattern is a literal, a glob or a regular expression", "[pattern]") {
    CHECK(Pattern::parse("abc")->is_literal());
    CHECK(Pattern::parse("abc")->matches("abc"));
    CHECK_FALSE(Pattern::parse("abc")->matches("ABC"));
    CHECK(Pattern::parse("abc")->matches_ignoring_case("aBC"));
    CHECK_FALSE(Pattern::parse("abc")->matches_ignoring_case("aB"));
    CHECK(Pattern::parse("a*")->matches("abc"));
    CHECK(Pattern::parse("^a.c$")->matches("abc"));
    CHECK_FALSE(Pattern::parse("^a.c$")->matches("xabc"));
    CHECK_FALSE(Pattern::parse("^a.c$")->matches("abcx"));
    CHECK(Pattern::parse("^.*(mkl|openblas)$")->matches("1_openblas"));
    CHECK(Pattern::parse("^a")->is_literal());
}

TEST_CASE("regular expressions cannot do harm", "[pattern]") {
    for (const char* text : {"^($", "^[$", "^a{2,1}$", "^*$", "^(a)\\1$"}) {
        CAPTURE(text);
        auto pattern = Pattern::parse(text);
        REQUIRE_FALSE(pattern);
        CHECK(pattern.error().code == taipan::ErrorCode::invalid_argument);
    }
    CHECK_FALSE(Pattern::parse('^' + std::string(Pattern::max_pattern_length, 'a') + '$'));
    const auto bomb = Pattern::parse("^(a|aa)+(a|a?)+(a*)*c$");
    REQUIRE(bomb);
    CHECK_FALSE(bomb->matches(std::string(Pattern::max_text_length, 'a')));
    CHECK_FALSE(bomb->matches(std::string(1'000'000, 'a')));
    CHECK_FALSE(Pattern::parse("^" + std::string(1000, '(') + std::string(20, ')') + "$"));
}
