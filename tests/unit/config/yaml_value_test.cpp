#include <catch2/catch.hpp>

#include "config/yaml_value.hpp"

using namespace taipan;

TEST_CASE("a document becomes plain values", "[yaml]") {
    const auto document = parse_yaml("a: 1\nb: [x, 'y: z', {c: ~}]\n", "file");
    REQUIRE(document);
    CHECK(document->find("a")->text == "1");
    const auto* list = document->find("b");
    REQUIRE(list->items.size() == 3);
    CHECK(list->items[1].text == "y: z");
    CHECK(list->items[2].find("c")->is_null());
    CHECK(list->line == 2);
    CHECK(document->find("missing") == nullptr);
}

TEST_CASE("bad documents are refused with file and line", "[yaml]") {
    for (const auto* text : {"a: [1\n", "a: b: c\n", "{[1]: 2}", "\t- x: [}"}) {
        const auto document = parse_yaml(text, "the-file");
        REQUIRE_FALSE(document);
        CHECK(document.error().code == ErrorCode::parse);
        CHECK(document.error().message.find("the-file") != std::string::npos);
    }
}

TEST_CASE("aliases that multiply are refused", "[yaml]") {
    std::string text = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n";
    for (int i = 1; i < 9; ++i) {
        const auto before = "*a" + std::to_string(i - 1);
        text += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [" + before;
        for (int j = 0; j < 9; ++j) text += ", " + before;
        text += "]\n";
    }
    const auto document = parse_yaml(text, "bomb");
    REQUIRE_FALSE(document);
    CHECK(document.error().message.find("too many") != std::string::npos);
}

TEST_CASE("deep nesting is refused", "[yaml]") {
    const auto document = parse_yaml(std::string(100, '[') + std::string(100, ']'), "deep");
    REQUIRE_FALSE(document);
}
