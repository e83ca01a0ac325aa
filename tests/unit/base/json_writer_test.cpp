#include <catch2/catch.hpp>

#include "base/json_writer.hpp"

using namespace taipan;

TEST_CASE("layout is that of Python's json.dumps(indent=2)") {
    JsonWriter json;
    json.begin_object().member("a", 1).member("b", std::vector<std::string>{"x", "y"});
    json.key("empty").begin_array().end_array();
    json.key("none").null().key("flag").value(true).key("o").begin_object().end_object();
    json.end_object();
    CHECK(json.text() ==
          "{\n  \"a\": 1,\n  \"b\": [\n    \"x\",\n    \"y\"\n  ],\n  \"empty\": [],\n  \"none\": null,\n"
          "  \"flag\": true,\n  \"o\": {}\n}");
}

TEST_CASE("strings are escaped to ASCII as Python does") {
    JsonWriter json;
    json.value("q\" b\\ n\n t\t \x01 \x7f é € 😀");
    CHECK(json.text() == "\"q\\\" b\\\\ n\\n t\\t \\u0001 \x7f \\u00e9 \\u20ac \\ud83d\\ude00\"");
}

TEST_CASE("a character is escaped wherever it stands in a long string") {
    const std::string plain = "abcdefghijklmnopqrstuvwxyz !#[]^~0123456789";
    for (const auto& [special, escaped] :
         std::vector<std::pair<std::string, std::string>>{{"\"", "\\\""},
                                                          {"\\", "\\\\"},
                                                          {"\x1f", "\\u001f"},
                                                          {std::string(1, '\0'), "\\u0000"},
                                                          {"\x7f", "\x7f"},
                                                          {"\u00e9", "\\u00e9"},
                                                          {" ", " "}}) {
        for (std::size_t at = 0; at <= plain.size(); ++at) {
            JsonWriter json;
            json.value(plain.substr(0, at) + special + plain.substr(at));
            CHECK(json.take() == '"' + plain.substr(0, at) + escaped + plain.substr(at) + '"');
        }
    }
}

TEST_CASE("invalid UTF-8 becomes replacement characters, never broken JSON") {
    JsonWriter json;
    json.value("a\xff\xc3");
    CHECK(json.text() == "\"a\\ufffd\\ufffd\"");
}

TEST_CASE("numbers keep their sign and size") {
    JsonWriter json;
    json.begin_array().value(-1).value(18446744073709551615ULL).value(1.5).end_array();
    CHECK(json.text() == "[\n  -1,\n  18446744073709551615,\n  1.5\n]");
}

TEST_CASE("a long text goes out in pieces that make the same text") {
    std::vector<std::string> pieces;
    JsonWriter streaming([&](std::string_view piece) { pieces.emplace_back(piece); });
    JsonWriter whole;
    for (JsonWriter* json : {&streaming, &whole}) {
        json->begin_object().key("items").begin_array();
        for (int i = 0; i < 20'000; ++i) json->value("item \"" + std::to_string(i) + "\" \u00e9");
        json->end_array().end_object();
    }
    streaming.flush();
    std::string text;
    for (const auto& piece : pieces) text += piece;
    CHECK(pieces.size() > 2);
    CHECK(text == whole.text());
}
