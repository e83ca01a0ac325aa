#include <catch2/catch.hpp>

#include "config/yaml_value.hpp"
#include "program/errors.hpp"
#include "screen/text.hpp"
#include "screen/yaml_text.hpp"

using namespace taipan;
using namespace taipan::cli;

TEST_CASE("amounts for people", "[text]") {
    CHECK(human_bytes(0) == "0 B");
    CHECK(human_bytes(999) == "999 B");
    CHECK(human_bytes(1500) == "2 KB");
    CHECK(human_bytes(999'600) == "1.0 MB");
    CHECK(human_bytes(123'456'789) == "123 MB");
    CHECK(human_bytes(1'234'567'890) == "1.2 GB");
    CHECK(human_seconds(0.04) == "0.0 s");
    CHECK(human_seconds(125) == "2 min 5 s");
    CHECK(counted(1, "file") == "1 file");
    CHECK(counted(0, "file") == "0 files");
}

TEST_CASE("a table aligns, rules and fits", "[text]") {
    TextTable table({Align::left, Align::right});
    table.add({"name", "n"});
    table.rule();
    table.add({"x", "10"});
    CHECK(table.text(2) == "  name   n\n  --------\n  x     10\n");
    TextTable wide({Align::left, Align::left});
    wide.add({std::string(60, 'a'), "end"});
    CHECK(wide.text(0, 40) == std::string(16, 'a') + ".." + std::string(17, 'a') + "  end\n");
}

TEST_CASE("YAML scalars come back as the same string", "[yaml_text]") {
    for (const std::string text :
         {"foo=1.0=h1_0", "python", "1",           "1.10",       "true", "Null",     "",
          " x",           "x ",     "a: b",        "a #b",       "it's", "'quoted'", "*",
          "@x",           "- x",    "x\ny\t\"z\"", "2024-01-01", "0x1f", "~",        "foo[version='>=1.0,<2']",
          "https://h/c",  "q\"x",   "é",           "%p",         "key:", "{a}"}) {
        INFO(text);
        const auto document = parse_yaml("v: " + yaml_scalar(text) + "\n", "test");
        REQUIRE(document);
        CHECK(document->find("v")->text == text);
    }
    CHECK(yaml_scalar("foo=1.0=h1_0") == "foo=1.0=h1_0");
    CHECK(yaml_scalar("1.10") == "'1.10'");
    CHECK(yaml_scalar("conda-forge::x") == "conda-forge::x");
}

TEST_CASE("errors have conda's names and shapes", "[errors]") {
    const auto error = make_error(ErrorCode::checksum_mismatch, "bad bytes");
    CHECK(error_text(error, error_name(error.code)) == "\nChecksumMismatchError: bad bytes\n\n");
    const auto json = error_json(error, error_name(error.code));
    CHECK(json.find("\"error\": \"ChecksumMismatchError: bad bytes\"") != std::string::npos);
    CHECK(json.find("<class 'conda.exceptions.ChecksumMismatchError'>") != std::string::npos);
    CHECK(json.ends_with("}\n"));
}
