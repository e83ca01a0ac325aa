#include <catch2/catch.hpp>

#include "program/command.hpp"
#include "program/help.hpp"
#include "program/parser.hpp"

using namespace taipan::cli;

namespace {

struct Targets {
    bool flag = false;
    std::optional<bool> pyc;
    int verbose = 0;
    std::string name;
    std::vector<std::string> channels, specs;

    Options options() {
        return {{"-n,--name", &name, "NAME", "h"},
                {"-c,--channel", &channels, "C", "h"},
                {"-v,--verbose", &verbose, {}, "h"},
                {"--flag", &flag, {}, "h"},
                {"--pyc", &pyc, {}, "h"},
                {"--no-pyc", &pyc, {}, "h", "Options", false},
                {"specs", &specs, "SPEC", "h"}};
    }
};

using Strings = std::vector<std::string>;

} // namespace

TEST_CASE("options may stand anywhere and take one value each", "[parser]") {
    Targets t;
    const auto outcome = parse_options(t.options(), {"python>=3.8", "-c", "one", "numpy", "-vv", "--channel=two", "-n",
                                                     "x", "--name", "y", "--no-pyc"});
    CHECK(outcome.error.empty());
    CHECK(t.channels == Strings{"one", "two"});
    CHECK(t.specs == Strings{"python>=3.8", "numpy"});
    CHECK(t.name == "y");
    CHECK(t.verbose == 2);
    CHECK(t.pyc == false);
    CHECK_FALSE(t.flag);
}

TEST_CASE("unknown options are errors, with the one that was meant", "[parser]") {
    Targets t;
    const auto outcome = parse_options(t.options(), {"--chanel", "x"});
    CHECK(outcome.error.find("--chanel") != std::string::npos);
    CHECK(outcome.error.find("did you mean --channel?") != std::string::npos);
    CHECK_FALSE(parse_options(t.options(), {"-n"}).error.empty());
    CHECK(parse_options(t.options(), {"--help", "--nonsense"}).help);
}

TEST_CASE("with ends_at_first_word the rest is left as it is", "[parser]") {
    Targets t;
    CHECK(
        parse_options(t.options(), {"-n", "env", "--flag", "python", "-c", "print(1)", "--help"}, true).error.empty());
    CHECK(t.name == "env");
    CHECK(t.flag);
    CHECK(t.specs == Strings{"python", "-c", "print(1)", "--help"});
    Targets dashes;
    CHECK(parse_options(dashes.options(), {"-n", "env", "--", "-odd", "x"}, true).error.empty());
    CHECK(dashes.specs == Strings{"-odd", "x"});
}

TEST_CASE("the nearest word", "[parser]") {
    CHECK(nearest_word("isntall", {"install", "list", "remove"}) == "install");
    CHECK(nearest_word("frobnicate", {"install", "list", "remove"}).empty());
}

TEST_CASE("every command has options that parse, help and an example", "[parser]") {
    for (const auto& entry : commands()) {
        INFO(entry.path);
        const auto command = entry.make();
        const auto options = command->options();
        CHECK(parse_options(options, {"--help"}, command->ends_at_first_word()).help);
        const auto text = help_text(entry, options, 80);
        CHECK(text.find("Examples:") != std::string::npos);
        CHECK(text.find(std::string(entry.summary)) != std::string::npos);
        std::size_t at = 0;
        while (at < text.size()) {
            const auto end = std::min(text.find('\n', at), text.size());
            const bool usage = at == 0;
            CHECK((usage || end - at <= 100));
            at = end + 1;
        }
    }
}
