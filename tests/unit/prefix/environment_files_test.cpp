#include <catch2/catch.hpp>

#include <map>
#include <string>
#include <vector>

#include "prefix/environment_variables.hpp"
#include "prefix/frozen.hpp"
#include "scratch.hpp"

using namespace taipan;

TEST_CASE("a frozen environment says why") {
    Scratch scratch;
    CHECK(require_not_frozen(scratch.path));
    scratch.write("conda-meta/frozen", "");
    CHECK(**frozen_message(scratch.path) == "");
    const auto frozen = require_not_frozen(scratch.path);
    REQUIRE_FALSE(frozen);
    CHECK(frozen.error().code == ErrorCode::environment_frozen);
    scratch.write("conda-meta/frozen", R"({"message": "managed by the admins"})");
    CHECK(require_not_frozen(scratch.path).error().message.find("managed by the admins") != std::string::npos);
    scratch.write("conda-meta/frozen", "no json");
    CHECK_FALSE(require_not_frozen(scratch.path));
}

TEST_CASE("pins are lines, comments are none") {
    CHECK(parse_pinned("# head\nnumpy 1.7.*\n\n  # more\n  scipy==0.14.2 \r\nlast") ==
          std::vector<std::string>{"numpy 1.7.*", "scipy==0.14.2", "last"});
    Scratch scratch;
    CHECK(read_pinned(scratch.path)->empty());
    scratch.write("conda-meta/pinned", "a\n");
    CHECK(read_pinned(scratch.path)->size() == 1);
}

TEST_CASE("variables come from env_vars.d in order, then from state") {
    using Variables = std::map<std::string, std::string>;
    Scratch scratch;
    CHECK(prefix_variables(scratch.path)->empty());
    scratch.write("etc/conda/env_vars.d/b.json", R"({"ONE": "b", "two": "b", "number": 5, "skip": [1]})");
    scratch.write("etc/conda/env_vars.d/a.json", R"({"ONE": "a", "THREE": "a"})");
    scratch.write("etc/conda/env_vars.d/readme", "no json");
    scratch.write("conda-meta/state",
                  R"({"version": 1, "env_vars": {"three": "***unset***", "U": "é"}, "o": {"a": [1]}})");
    CHECK(*prefix_variables(scratch.path) ==
          Variables{{"ONE", "b"}, {"TWO", "b"}, {"NUMBER", "5"}, {"THREE", unset_marker}, {"U", "é"}});
    CHECK(prefix_variables(scratch.path, false)->contains("two"));
    CHECK(*state_variables(scratch.path) == OrderedVariables{{"three", unset_marker}, {"U", "é"}});

    OrderedVariables ordered{{"Z", "1"}, {"A", "2"}};
    set_variable(ordered, "M", "3");
    set_variable(ordered, "Z", "4");
    CHECK(ordered == OrderedVariables{{"Z", "4"}, {"A", "2"}, {"M", "3"}});
    REQUIRE(write_state_variables(scratch.path, {{"Z", "2"}, {"A", "1"}}));
    CHECK(
        scratch.read("conda-meta/state") ==
        "{\n  \"env_vars\": {\n    \"Z\": \"2\",\n    \"A\": \"1\"\n  },\n  \"version\": 1,\n  \"o\": {\"a\": [1]}\n}");
    CHECK(*state_variables(scratch.path) == OrderedVariables{{"Z", "2"}, {"A", "1"}});
    REQUIRE(write_state_variables(scratch.path, {}));
    CHECK(state_variables(scratch.path)->empty());
    scratch.write("conda-meta/state", "{");
    CHECK_FALSE(prefix_variables(scratch.path));
}
