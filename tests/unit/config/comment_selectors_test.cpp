#include <catch2/catch.hpp>

#include "config/comment_selectors.hpp"

using namespace taipan;

TEST_CASE("lines of other platforms are left out", "[comment_selectors]") {
    std::vector<std::string> unknown;
    const std::string text = "dependencies:\n  - a\n  - b # [linux]\n  - c  # why not [osx]\n  - d # [unix]\n"
                             "  - e # [win]\n  - f[build=x] # a note\n# [osx] is a comment\n  - g # [py38]";
    CHECK(lines_for_platform(text, "linux-64", unknown) ==
          "dependencies:\n  - a\n  - b # [linux]\n  - d # [unix]\n  - f[build=x] # a note\n# [osx] is a comment\n");
    CHECK(unknown == std::vector<std::string>{"py38"});
    CHECK(lines_for_platform(text, "osx-arm64", unknown) ==
          "dependencies:\n  - a\n  - c  # why not [osx]\n  - d # [unix]\n  - f[build=x] # a note\n"
          "# [osx] is a comment\n");
    CHECK(lines_for_platform("- x # [aarch64]\n- y # [linux64]\n", "linux-aarch64", unknown) == "- x # [aarch64]\n");
}
