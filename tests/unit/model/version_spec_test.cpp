#include "model/version_spec.hpp"

#include <catch2/catch.hpp>

#include <string>

using taipan::Version;
using taipan::VersionSpec;

namespace {

struct ContainsRow {
    const char* version;
    const char* spec;
    bool result;
};

// conda-spec 6.2; every row was run on the real conda.
const ContainsRow contains_rows[] = {
    {"1.7.1", "==1.7", false},
    {"1.22.4", "1.*.3", false},
    {"1.7.0", "==1.7", true},
    {"1.2.3.4", "1.2.3*", true},
    {"1.7.0", "1.7", true},
    {"1.2.30", "1.2.3*", false},
    {"1.7.1", "1.7", false},
    {"1.2.5", ">=1.2.*", true},
    {"1.7.1", "=1.7", true},
    {"1.2.5", "<=1.2.*", false},
    {"1.70", "=1.7", false},
    {"1.2.5", ">1.2.*", true},
    {"1.7rc1", "=1.7", true},
    {"1.2.5", "==1.2.*", false},
    {"1.7.0.1", "=1.7.0", true},
    {"1.0.1abc", "1.0.1a*", true},
    {"1.7", "=1.7.0", true},
    {"1.0.1+local", "1.0.1", false},
    {"1.7", "1.7.0.*", true},
    {"1.0.1+local", "=1.0.1", true},
    {"1.7.1", "1.7.*", true},
    {"1.0.1+local", "==1.0.1", false},
    {"1.7.1", "1.7*", true},
    {"1.0.1+local", ">=1.0.1", false},
    {"1.75", "1.7*", false},
    {"1.0.1+1", ">=1.0.1", true},
    {"1.7.1", "!=1.7", true},
    {"1.0.1+local", "1.0.1+loc*", true},
    {"1.7.1", "!=1.7.*", false},
    {"2!1.0", ">1.0", true},
    {"1.7.1", "!=1.7*", true},
    {"2!1.0", "=1", false},
    {"1.7.1", "~=1.7.0", true},
    {"1.0", "=1.0.0.0", true},
    {"1.8", "~=1.7.0", false},
    {"2.0.0a0", "<2.0", true},
    {"1.8", "~=1.7", true},
    {"2.0.0a0", "<2.0a0", false},
    {"2.0", "~=1.7", false},
    {"1.9.9", "<2.0a0", true},
    {"1.6", "~=1.7", false},
    {"1.0", "*", true},
    {"0.5.4", "~=0.5.3", true},
    {"1.0", "1.0|2.0", true},
    {"0.6", "~=0.5.3", false},
    {"1.0", "1.0 , >0.5", true},
    {"3.11.0a1", "<3.11", true},
    {"1.0", ">=1.0 , <2", true},
    {"3.11.0a1", "<3.11.0a0", false},
    {"1.0.post1", "=1.0", true},
    {"3.11.0a1", ">=3.11,<3.12", false},
    {"1.0.post1", ">1.0", true},
    {"3.12.0rc1", "<3.12", true},
    {"2023c", ">=2023", false},
    {"2.0", "<2|>=3", false},
    {"2023c", "=2023", true},
    {"3.5", "<2|>=3", true},
    {"1.1.1w", ">=1.1.1,<1.1.2", false},
    {"1.5", ">=1,<2|>3", true},
    {"1.1.1w", ">=1.1.1a,<1.1.2a", true},
    {"4", ">=1,<2|>3", true},
    {"1.10", "=1.1", false},
    {"4", ">=1,(<2|>3)", true},
    {"1.1.10", "=1.1", true},
    {"2.5", ">=1,(<2|>3)", false},
    {"10", "=1", false},
    {"1.2.3", "^1\\.2\\..*$", true},
    {"1.2.3", "~=1.2.3", true},
    {"1.3.3", "^1\\.2\\..*$", false},
    {"1.2.3.1", "~=1.2.3", true},
    {"1.22.3", "1.*.3", true},
};

bool contains(const std::string& spec, const std::string& version) {
    auto parsed_spec = VersionSpec::parse(spec);
    auto parsed_version = Version::parse(version);
    CAPTURE(spec, version);
    REQUIRE(parsed_spec);
    REQUIRE(parsed_version);
    return parsed_spec->contains(*parsed_version);
}

std::string text_of(const std::string& spec) {
    auto parsed = VersionSpec::parse(spec);
    return parsed ? parsed->text() : parsed.error().message;
}

} // namespace

TEST_CASE("version specs contain what conda's contain", "[version_spec]") {
    for (const ContainsRow& row : contains_rows) {
        CAPTURE(row.version, row.spec);
        CHECK(contains(row.spec, row.version) == row.result);
    }
}

TEST_CASE("texts that are no version spec are refused", "[version_spec]") {
    for (const char* text :
         {"",     "=",        "==",     "!=",   ">=",   "~=1.*", "<>1.2", "<= 1.2", "=>1",   ">=1,",   ",>=1",
          "(1.2", "1.2)",     "()",     "|1",   "1|",   "1||2",  "^1.2",  "1.2$",   "~1.2",  "===1.2", ">=1 <2",
          "1.0.", "1.0 py27", "(1)(2)", "1(2)", "^1$2", "^($",   "^(1$",  "1|(2",   "(((1)", "=1.0/2"}) {
        CAPTURE(text);
        auto parsed = VersionSpec::parse(text);
        REQUIRE_FALSE(parsed);
        CHECK(parsed.error().code == taipan::ErrorCode::invalid_argument);
        CHECK(parsed.error().message.find("version spec") != std::string::npos);
    }
}

TEST_CASE("a version spec of no component to drop contains nothing", "[version_spec]") {
    CHECK_FALSE(contains("~=1", "1"));
    CHECK_FALSE(contains("~=1", "0.5"));
}

TEST_CASE("numbers beyond 64 bits work in specs", "[version_spec]") {
    CHECK(contains(">=20231231235959123456,<20231231235959123458", "20231231235959123457"));
    CHECK_FALSE(contains(">20231231235959123456", "20231231235959123456"));
    CHECK(contains("=1.20231231235959123456", "1.20231231235959123456.2"));
}

TEST_CASE("parentheses group, and stay in the text where they mean something", "[version_spec]") {
    CHECK(text_of(">=1 , ( <2 | >3 )") == ">=1,(<2|>3)");
    CHECK(text_of("(<2|>3),>=1") == "(<2|>3),>=1");
    CHECK(text_of("(>=1,<2)|>3") == ">=1,<2|>3");
    CHECK(text_of("((1.7))") == "1.7");
    CHECK(text_of("((1|2)|3)") == "1|2|3");
    CHECK(text_of("((1|2)),((3|4))") == "(1|2),(3|4)");
    CHECK(contains("(<2|>3),>=1", "4"));
    CHECK_FALSE(contains("(<2|>3),>=1", "0.5"));
    CHECK(contains("((1|2),(2|3))|9", "2"));
    CHECK(contains("((1|2),(2|3))|9", "9"));
    CHECK_FALSE(contains("((1|2),(2|3))|9", "1"));
}

TEST_CASE("the normal form of a text", "[version_spec]") {
    CHECK(text_of("1.7*") == "1.7.*");
    CHECK(text_of("1.7.*") == "1.7.*");
    CHECK(text_of(" >=1.7 , <2 ") == ">=1.7,<2");
    CHECK(text_of("^1\\.(2|3).*$|>=5") == "^1\\.(2|3).*$|>=5");
    CHECK(VersionSpec::parse("*")->is_any());
    CHECK_FALSE(VersionSpec::parse("1.*")->is_any());
}

TEST_CASE("regular expressions may hold the grammar's own characters", "[version_spec]") {
    CHECK(contains("^1\\.(2|3).*$|>=5", "1.3.1"));
    CHECK(contains("^1\\.(2|3).*$|>=5", "5"));
    CHECK_FALSE(contains("^1\\.(2|3).*$|>=5", "1.4"));
    CHECK_FALSE(contains("(^1\\.(2|3).*$,!=1.3)", "1.3"));
}

TEST_CASE("hostile specs are refused or answered in bounded time", "[version_spec]") {
    CHECK_FALSE(VersionSpec::parse(std::string(VersionSpec::max_depth + 2, '(') + "1" +
                                   std::string(VersionSpec::max_depth + 2, ')')));
    CHECK_FALSE(VersionSpec::parse(std::string(VersionSpec::max_length + 1, '1')));
    std::string many = "1";
    while (many.size() + 2 <= VersionSpec::max_length) many += "|1";
    CHECK(contains(many, "1"));
    CHECK_FALSE(contains(many, "2"));
    CHECK_FALSE(contains("^(a*)*(a*)*(a*)*b$", std::string(200, 'a')));
    CHECK_FALSE(contains("1.*.*.*.*.*.*.*.*.*.*.*.2", "1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1"));
}

TEST_CASE("merged version specs ask for both", "[version_spec]") {
    auto merged = [](const char* a, const char* b) {
        auto result = merge(*VersionSpec::parse(a), *VersionSpec::parse(b));
        return result ? result->text() : result.error().message;
    };
    CHECK(merged(">=1", "<2") == "<2,>=1");
    CHECK(merged("1.*", "1.2.*") == "1.*,1.2.*");
    CHECK(merged("1.0", "1.0") == "1.0");
    CHECK(merged("1|2", ">=2") == "(1|2),>=2");
}
