#include <catch2/catch.hpp>

#include <random>
#include <string>
#include <vector>

#include <simdjson.h>

#include "repodata/batch.hpp"
#include "repodata/batch_parser.hpp"
#include "repodata/plain_json.hpp"

using namespace taipan;
using namespace taipan::repodata;

namespace {

/// What becomes of a text by way of the JSON library alone, and with the short way: it must be the same.
void compare_both_ways(const std::string& text) {
    INFO(text);
    auto plain = BatchParser().parse(batch_of(text));
    auto whole = BatchParser(false).parse(batch_of(text));
    REQUIRE(static_cast<bool>(plain) == static_cast<bool>(whole));
    if (!plain) return;
    CHECK(plain->skipped == whole->skipped);
    CHECK(plain->broken == whole->broken);
    CHECK(plain->names == whole->names);
    CHECK(plain->blocks == whole->blocks);
    CHECK(plain->fragments.size() == whole->fragments.size());
}

bool is_json(const std::string& text) {
    simdjson::dom::parser parser;
    simdjson::dom::element element;
    return parser.parse(text).get(element) == simdjson::SUCCESS;
}

/// Values of all kinds that a field can have, the plain ones more often.
std::string any_value(std::mt19937& chance) {
    static const std::vector<std::string> values = {"\"text\"",
                                                    "\"1.2.3\"",
                                                    "\"\"",
                                                    "7",
                                                    "0",
                                                    "-3",
                                                    "1700000000123",
                                                    "123456789012345678",
                                                    "12345678901234567890",
                                                    "1.5",
                                                    "1e3",
                                                    "null",
                                                    "true",
                                                    "false",
                                                    "[]",
                                                    "[ ]",
                                                    "[\"a >=1\", \"b\"]",
                                                    "[ \"a >=1\" ,\n\"b\" ]",
                                                    "[\"a\", 1]",
                                                    "[null]",
                                                    "[[\"a\"]]",
                                                    "{}",
                                                    "{\"a\": {\"b\": \"}\"}}",
                                                    "\"with \\\"escapes\\\" \\u00e9\"",
                                                    "\"h\u00e9 \xf0\x9f\x90\x8d\"",
                                                    "[\"with \\\\ escapes\"]",
                                                    "\"python\"",
                                                    "\"a b,c\""};
    return values[chance() % values.size()];
}

std::string any_record(std::mt19937& chance, int number) {
    static const std::vector<std::string> keys = {"name",
                                                  "version",
                                                  "build",
                                                  "build_number",
                                                  "depends",
                                                  "constrains",
                                                  "schema_version",
                                                  "record_version",
                                                  "md5",
                                                  "sha256",
                                                  "subdir",
                                                  "license",
                                                  "license_family",
                                                  "legacy_bz2_md5",
                                                  "legacy_bz2_size",
                                                  "python_site_packages_path",
                                                  "arch",
                                                  "platform",
                                                  "date",
                                                  "size",
                                                  "noarch",
                                                  "track_features",
                                                  "features",
                                                  "timestamp",
                                                  "unknown",
                                                  "na\\u006de",
                                                  "",
                                                  "x\\\"y"};
    const std::string blank = chance() % 4 == 0 ? "\n  " : "";
    std::string text = "{" + blank;
    const auto add = [&](const std::string& key, const std::string& value) {
        if (text.size() > 1 + blank.size()) text += "," + blank;
        text += "\"" + key + "\"" + blank + ": " + value + blank;
    };
    add("name", "\"Package" + std::to_string(number / 3) + "\"");
    add("version", "\"1." + std::to_string(number % 3) + "\"");
    add("build", "\"h_0\"");
    add("depends", number % 4 == 0 ? "[\"a\", \"b >=2\"]" : "[\"a\", \"b\"]");
    for (unsigned i = chance() % 4; i > 0; --i) add(keys[chance() % keys.size()], any_value(chance));
    return text + "}";
}

} // namespace

TEST_CASE("records are read in the short way as the JSON library reads them", "[repodata][plain]") {
    std::mt19937 chance(20261128);
    for (int round = 0; round < 400; ++round) {
        std::string text = "{";
        const int count = static_cast<int>(chance() % 12);
        for (int number = 0; number < count; ++number) {
            if (number > 0) text += chance() % 3 == 0 ? ",\n " : ", ";
            text += "\"package" + std::to_string(number / 3) + "-1." + std::to_string(number % 3) + "-h_0" +
                    (chance() % 9 == 0 ? ".tar.bz2" : ".conda") + "\": " + any_record(chance, number);
        }
        text += "}";
        REQUIRE(is_json(text));
        compare_both_ways(text);
        // Damage of one byte: as long as it is JSON both agree, else neither invents anything.
        for (int damage = 0; damage < 4; ++damage) {
            std::string bad = text;
            bad[chance() % bad.size()] = "\"\\{}[]:, 0a\x01\xff"[chance() % 13];
            if (is_json(bad))
                compare_both_ways(bad);
            else
                static_cast<void>(static_cast<bool>(BatchParser().parse(batch_of(bad))));
        }
    }
}

TEST_CASE("what begins like null and is not ends nothing", "[repodata][plain]") {
    for (const char* record : {R"({"depends": nope})", R"({"build_number": nul})", R"({"constrains": n})"}) {
        const std::string text = R"({"a-1-0.conda": )" + std::string(record) + "}";
        for (const bool plain : {true, false}) {
            const auto parsed = BatchParser(plain).parse(batch_of(text));
            CHECK((!parsed || parsed->fragments.empty()));
        }
    }
}

TEST_CASE("only plain text is read in the short way", "[repodata][plain]") {
    const auto steps = [](const std::string& text) {
        Arena arena;
        PlainMembers members(arena);
        const Batch batch = batch_of(text);
        members.begin(batch.text());
        std::string letters;
        while (true) {
            const auto step = members.next();
            letters += step == PlainMembers::Step::record  ? 'r'
                       : step == PlainMembers::Step::other ? 'o'
                       : step == PlainMembers::Step::end   ? '.'
                                                           : '!';
            if (letters.back() == '.' || letters.back() == '!') return letters;
        }
    };
    CHECK(steps("{}") == ".");
    CHECK(steps(" { } ") == ".");
    CHECK(steps(R"({"a": {"name": "a", "size": 3, "depends": ["b"], "x": [], "y": true}})") == "r.");
    CHECK(steps(R"({"a": {}, "b": {"name": 3}, "c": {"size": -1}, "d": {"license": null}})") == "roor.");
    CHECK(steps(R"({"a": {"license": "\""}, "b": {"x": {"y": "}"}}, "c": {"n": 01}, "d": {"n": 1.5}})") == "oooo.");
    CHECK(steps(R"({"a": {"depends": null, "build_number": null}})") == "o.");
    CHECK(steps(R"({"a\n": {}})") == "!");
    CHECK(steps(R"({"a": 1})") == "!");
    CHECK(steps(R"({"a": {},})") == "r!");
    CHECK(steps(R"({"a": {}} x)") == "r!");
    CHECK(steps(R"({"a": {})") == "r!");
    CHECK(steps(R"({"a": {"b": ["c",]}})") == "o.");
    CHECK(steps("") == "!");
}
