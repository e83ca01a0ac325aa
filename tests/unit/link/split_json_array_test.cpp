#include <catch2/catch.hpp>

#include <string>
#include <vector>

#include "link/split_json_array.hpp"

using namespace taipan;
using Pieces = std::vector<std::string_view>;

TEST_CASE("an array is taken out in pieces of whole elements") {
    const std::string text = R"({"v": 1, "paths": [{"a": "x,]}\"["}, [1, 2], "s\\", 3], "w": {"paths": [7]}})";
    const auto split = split_json_array(text, "paths", 1);
    REQUIRE(split);
    CHECK(split->rest == R"({"v": 1, "paths": [], "w": {"paths": [7]}})");
    CHECK(split->pieces == Pieces{R"({"a": "x,]}\"["})", " [1, 2]", R"( "s\\")", " 3"});
    CHECK(split_json_array(text, "paths", 20)->pieces == Pieces{R"({"a": "x,]}\"["}, [1, 2])", R"( "s\\", 3)"});
    CHECK(split_json_array(text, "paths", 1000)->pieces.size() == 1);
    CHECK(split_json_array(R"({"paths": []})", "paths", 1)->pieces == Pieces{""});
}

TEST_CASE("only an array of that key in the outermost object is taken") {
    for (const char* text :
         {"", "{}", "[]", R"(["paths", [1]])", R"({"paths": {"paths": [1]}})", R"({"x": [{"paths": [1]}]})",
          R"({"paths": 1})", R"({"other": "paths", "x": [1]})", R"({"paths": [1, 2)", R"({"paths": ["a)", "]]]}}}"}) {
        INFO(text);
        CHECK_FALSE(split_json_array(text, "paths", 1));
    }
}
