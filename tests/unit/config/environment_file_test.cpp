#include <catch2/catch.hpp>

#include "config/environment_file.hpp"
#include "config/expand.hpp"

using namespace taipan;

namespace {

const RequestFileContext context{{{"CHAN", "my-channel"}}, "/home/u", "/some", "linux-64"};
using Strings = std::vector<std::string>;

RequestFile yaml(const std::string& text) {
    auto file = parse_environment_yaml(text, "environment.yml", context);
    REQUIRE(file);
    return std::move(*file);
}

} // namespace

TEST_CASE("environment.yml becomes plain data", "[environment_file]") {
    const auto file = yaml("name: demo\n"
                           "channels: [conda-forge, $CHAN, nodefaults]\n"
                           "dependencies:\n"
                           "  - python=3.11\n"
                           "  - conda-forge::numpy >=1.2\n"
                           "  - sel(linux): only-linux\n"
                           "  - sel(osx): only-osx\n"
                           "  - pip:\n"
                           "      - requests==2.0\n"
                           "      - -r more.txt\n"
                           "variables:\n"
                           "  A: 1\n"
                           "  B: 'x y'\n"
                           "prefix: /old/place\n");
    CHECK(file.kind == RequestFile::Kind::environment);
    CHECK(file.name == "demo");
    CHECK(file.prefix == "/old/place");
    CHECK(file.channels == Strings{"conda-forge", "my-channel"});
    CHECK(file.nodefaults);
    CHECK(file.dependencies == Strings{"python=3.11", "conda-forge::numpy >=1.2", "only-linux"});
    CHECK(file.pip == Strings{"requests==2.0", "-r more.txt"});
    CHECK(file.variables == std::vector<std::pair<std::string, std::string>>{{"A", "1"}, {"B", "x y"}});
    CHECK(file.warnings.empty());
}

TEST_CASE("unknown sections are told and left out", "[environment_file]") {
    const auto file = yaml("name: x\nsurprise: 1\nplatforms: [linux-64]\ndependencies:\n");
    REQUIRE(file.warnings.size() == 1);
    CHECK(file.warnings.front().find("surprise") != std::string::npos);
    CHECK(file.dependencies.empty());
}

TEST_CASE("what cannot be meant is refused", "[environment_file]") {
    for (const auto* text :
         {"", "just words", "- a\n- b\n", "dependencies: python", "dependencies: [[a]]", "dependencies: [{npm: [x]}]",
          "dependencies: [{'sel(mars)': x}]", "channels: x", "dependencies: [{pip: requests}]", "variables: [a]",
          "variables: {PATH: x}", "name: [a]"}) {
        const auto file = parse_environment_yaml(text, "environment.yml", context);
        INFO(text);
        REQUIRE_FALSE(file);
        CHECK(file.error().code == ErrorCode::parse);
        CHECK(file.error().message.find("environment.yml") != std::string::npos);
    }
}

TEST_CASE("selectors follow the target platform", "[environment_file]") {
    CHECK(selector_holds("unix", "osx-arm64"));
    CHECK(selector_holds("osx", "osx-arm64"));
    CHECK_FALSE(selector_holds("linux", "osx-arm64"));
    CHECK_FALSE(selector_holds("unix", "win-64"));
    CHECK_FALSE(selector_holds("win", "windows"));
}

TEST_CASE("a list of specs", "[spec_list]") {
    const auto file =
        parse_request_file("# comment\n\n  python=3.11 \r\nnumpy >=1\npipped=1.0=pypi_0\n", "specs.txt", context);
    REQUIRE(file);
    CHECK(file->kind == RequestFile::Kind::specs);
    CHECK(file->dependencies == Strings{"python=3.11", "numpy >=1"});
}

TEST_CASE("an explicit list", "[spec_list]") {
    const std::string md5(32, 'a'), sha(64, 'b');
    const auto file = parse_request_file("# platform: linux-64\n@EXPLICIT\nhttps://h/c/linux-64/a-1-0.conda#" + md5 +
                                             "\nb-1-0.tar.bz2#sha256:" + sha + "\n~/c-1-0.conda\n",
                                         "explicit.txt", context);
    REQUIRE(file);
    CHECK(file->kind == RequestFile::Kind::explicit_urls);
    CHECK(file->platform == "linux-64");
    CHECK(file->dependencies == Strings{"https://h/c/linux-64/a-1-0.conda#" + md5,
                                        "file:///some/b-1-0.tar.bz2#sha256:" + sha, "file:///home/u/c-1-0.conda"});
}

TEST_CASE("explicit lines that are no package are refused with their number", "[spec_list]") {
    for (const auto* line : {"python=3.11", "https://h/c/a-1-0.conda#123", "https://h/c/a.zip"}) {
        const auto file = parse_request_file(std::string("@EXPLICIT\n") + line + "\n", "explicit.txt", context);
        REQUIRE_FALSE(file);
        CHECK(file.error().message.find("explicit.txt, line 2") != std::string::npos);
    }
}

TEST_CASE("variables and home are expanded as shells do", "[expand]") {
    const std::map<std::string, std::string> environment = {{"A", "x"}, {"LONG_1", "y"}};
    CHECK(expand_variables("$A/${LONG_1}-$B$", environment) == "x/y-$B$");
    CHECK(expand_variables("${A", environment) == "${A");
    CHECK(expand_home("~", "/h") == "/h");
    CHECK(expand_home("~/a", "/h") == "/h/a");
    CHECK(expand_home("~other/a", "/h") == "~other/a");
    CHECK(split_list(" a, b ,,c", ',') == Strings{"a", "b", "c"});
}
