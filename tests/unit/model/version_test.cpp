#include "model/version.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <string>
#include <vector>

using taipan::Version;

namespace {

Version version(const std::string& text) {
    auto parsed = Version::parse(text);
    INFO(text);
    REQUIRE(parsed);
    return *parsed;
}

struct OrderRow {
    const char* a;
    const char* relation;
    const char* b;
};

// conda-spec 6.1; every row was run on the real conda.
const OrderRow order_rows[] = {
    {"1.1", "==", "1.1.0"},
    {"1.1", "==", "1.1.0.0"},
    {"1.0.1", "==", "1.0_1"},
    {"1.0.1", "==", "1.0-1"},
    {"1.2.3", "==", "1.2.03"},
    {"1.0.1", "==", "1.0.1+0"},
    {"0.4.1.rc", "==", "0.4.1.RC"},
    {"1.1.0dev1", "==", "1.1.dev1"},
    {"1.1.0rc1", "==", "1.1.rc1"},
    {"1.0dev0", "==", "1.0dev"},
    {"0!1.0", "==", "1.0"},
    {"1.1.post1", "==", "1.1.0post1"},
    {"0.4", "<", "0.4.1"},
    {"0.4.1.rc", "<", "0.4.1"},
    {"0.5a1", "<", "0.5b3"},
    {"0.5C1", "<", "0.5"},
    {"0.9.6", "<", "0.960923"},
    {"1.1dev1", "<", "1.1_"},
    {"1.1_", "<", "1.1a1"},
    {"1.1_", "<", "1.1"},
    {"1.1rc1", "<", "1.1.rc1"},
    {"1.1a1", "<", "1.1.a1"},
    {"1.1.0post1", "<", "1.1post1"},
    {"1.1.1", "<", "1.1post1"},
    {"1.1post1", "<", "1.2"},
    {"1996.07.12", "<", "1!0.4.1"},
    {"2", "<", "1!1"},
    {"1.0.1a", "<", "1.0.1"},
    {"1.0.1_", "<", "1.0.1a"},
    {"1.0.1a", "<", "1.0.1b"},
    {"1.0.1+local", "<", "1.0.1"},
    {"1.0.1", "<", "1.0.1+1"},
    {"1.0.1+local", "<", "1.0.1+0.local"},
    {"1.0+a", "<", "1.0"},
    {"1.0+1.2", "<", "1.0+1.10"},
    {"2023a", "<", "2023"},
    {"2023a", "<", "2023b"},
    {"2023b", "<", "2024"},
    {"1.1.1w", "<", "3.0"},
    {"1.1.1", "<", "1.1.2"},
    {"1.1.1w", "<", "1.1.1"},
    {"9c", "<", "9d"},
    {"9d", "<", "9"},
    {"9", "<", "10"},
    {"1.2.3.dev0", "<", "1.2.3"},
    {"1.2.3", "<", "1.2.3.post0"},
    {"1.2.3.post0", "<", "1.2.3.post1"},
    {"1.2.3.post1.dev0", "<", "1.2.3.post1"},
    {"3.9", "<", "3.10"},
    {"1.0.rc2", "<", "1.0.rc10"},
    {"1.0dev", "<", "1.0rc"},
    {"1.0.dev", "<", "1.0.a"},
    {"v1.0", "<", "1.0"},
    {"1.0*", "<", "1.0"},
    {"1.0.0a1", "<", "1.0.0.a1"},
    {"1.2b", "<", "1.2.b"},
    {"5.3.0.rc.1", "<", "5.3.0.rc1"},
    {"post1", "<", "1"},
    {"2020.01.01", "<", "20200101"},
    {"1.0.0rc1", "<", "1.0.0-rc1"},
    {"1.a", "<", "1.0"},
    {"1.0.0a", "<", "1.0.0"},
    {"1.0", "<", "1.0post"},
    {"1.0", "<", "1.0.0.1"},
};

} // namespace

TEST_CASE("versions are ordered as conda orders them", "[version]") {
    for (const OrderRow& row : order_rows) {
        CAPTURE(row.a, row.relation, row.b);
        const Version a = version(row.a);
        const Version b = version(row.b);
        const bool equal = std::string(row.relation) == "==";
        CHECK((a == b) == equal);
        CHECK((b == a) == equal);
        CHECK((a < b) == !equal);
        CHECK_FALSE(b < a);
        CHECK((b > a) == !equal);
    }
}

TEST_CASE("a sorted list of versions is sorted in every pair", "[version]") {
    const std::vector<std::string> ascending = {"0.0*",
                                                "0.0dev",
                                                "0.0_",
                                                "0.0a",
                                                "0.0a_",
                                                "0.0aa",
                                                "0.0b",
                                                "0.0zzzzzzzzzzzz",
                                                "0.0zzzzzzzzzzzza",
                                                "0",
                                                "0.0.0.0.1",
                                                "0.0post",
                                                "0.1",
                                                "1.0rc1",
                                                "1.0",
                                                "1.0+1",
                                                "1.0.1",
                                                "999999999999999999",
                                                "1000000000000000000",
                                                "1152921504606846976",
                                                "9999999999999999999",
                                                "20231231235959123456",
                                                "20231231235959123457",
                                                "120231231235959123456",
                                                "1!0",
                                                "2!0",
                                                "20231231235959123456!0"};
    for (std::size_t i = 0; i < ascending.size(); ++i)
        for (std::size_t j = 0; j < ascending.size(); ++j) {
            CAPTURE(ascending[i], ascending[j]);
            CHECK(((version(ascending[i]) <=> version(ascending[j])) == (i <=> j)));
        }
}

TEST_CASE("numbers of any size keep their value", "[version]") {
    CHECK(version("0000000000000000000000000001") == version("1"));
    CHECK(version("1.00000000000000000000000000.2") == version("1.0.2"));
    CHECK(version("18446744073709551616") > version("18446744073709551615"));
    CHECK(version("1.18446744073709551617") > version("1.1"));
    CHECK(version("123456789012345678901234567890123456789") == version("0123456789012345678901234567890123456789"));
    CHECK(version("1.20231231235959123456post1") > version("1.20231231235959123456"));
    CHECK(version("1.20231231235959123456a") < version("1.20231231235959123456"));
}

TEST_CASE("texts that are no version are refused", "[version]") {
    for (const char* text :
         {"",        "   ", ".1",   "1.",    "1..2",     "1.0+",   "+1",  "1!",   "!1",  "a!1",  "1!2!3",
          "1.0+1+2", "_1",  "1__2", "1-0_1", "1.0-rc_1", "1.0._1", "1@2", "1~rc", "1 0", "1.0/2"}) {
        CAPTURE(text);
        auto parsed = Version::parse(text);
        REQUIRE_FALSE(parsed);
        CHECK(parsed.error().code == taipan::ErrorCode::parse);
    }
    CHECK(Version::parse(std::string(Version::max_length, '1')));
    CHECK_FALSE(Version::parse(std::string(Version::max_length + 1, '1')));
    CHECK_FALSE(Version::parse(std::string("1.0\0", 4)));
    CHECK_FALSE(Version::parse("1.0\xc3\xa4"));
}

TEST_CASE("the text of a version stays as written", "[version]") {
    CHECK(version(" 1.0RC1 ").text() == "1.0RC1");
    CHECK(version("1-2").text() == "1-2");
    CHECK(version("1.0._").text() == "1.0._");
}

TEST_CASE("starts_with goes by components", "[version]") {
    struct Row {
        const char* version;
        const char* prefix;
        bool result;
    };
    const Row rows[] = {
        {"1.7.1", "1.7", true},
        {"1.70", "1.7", false},
        {"1.7rc1", "1.7", true},
        {"1.7", "1.7.0", true},
        {"1.7.0.1", "1.7.0", true},
        {"1.7.1", "1.7.0", false},
        {"1.0.1+local", "1.0.1", true},
        {"1.0.1+local", "1.0.1+loc", true},
        {"1.0.1+local", "1.0+loc", false},
        {"1.0.0+local", "1.0+loc", true},
        {"1.0.1", "1.0.1+0", true},
        {"1.0.1", "1.0.1+1", false},
        {"1.0.1abc", "1.0.1a", true},
        {"1.0.1abc", "1.0.1b", false},
        {"1.0.1abc1", "1.0.1a1", false},
        {"1.0dev", "1.0d", false},
        {"1.0devel", "1.0dev", false},
        {"1.0post1", "1.0post", true},
        {"2!1.0", "1", false},
        {"2!1.0", "2!1", true},
        {"1", "1.0.0.0", true},
        {"1a", "1.0", false},
        {"1.0a0", "1.0a", true},
        {"1.0a", "1.0a0", true},
        {"1.0a1", "1.0a0", false},
        {"1", "1a", false},
        {"1.abcdefghijklmnop", "1.abcdefghijklm", true},
        {"1.abcdefghijklmnop", "1.abcdefghijkl", true},
        {"1.abcdefghijkl", "1.abcdefghijklm", false},
        {"1.20231231235959123456.1", "1.20231231235959123456", true},
        {"1.20231231235959123457", "1.20231231235959123456", false},
    };
    for (const Row& row : rows) {
        CAPTURE(row.version, row.prefix);
        CHECK(version(row.version).starts_with(version(row.prefix)) == row.result);
    }
}

TEST_CASE("major_minor names Python's directory", "[version]") {
    CHECK(version("3.11.10").major_minor() == "3.11");
    CHECK(version("3.14.0rc2").major_minor() == "3.14");
    CHECK(version("3.13rc1").major_minor() == "3.13");
    CHECK(version("1!3.8.2+x").major_minor() == "3.8");
    CHECK(version("3").major_minor() == "3");
}
