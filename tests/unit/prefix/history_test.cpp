#include <catch2/catch.hpp>

#include <set>
#include <string>
#include <vector>

#include "prefix/history.hpp"
#include "scratch.hpp"

using namespace taipan;
using Strings = std::vector<std::string>;

namespace {

const std::string example = R"(==> 2026-11-22 19:57:35 <==
# cmd: /opt/conda/bin/conda create -n t1 -c conda-forge foo=1.0 legacy generic python=3.11
# conda version: 26.5.0
-conda-forge/noarch::old-0.9-pyhd8ed1ab_0
+conda-forge/linux-64::bar-2.1.0-h123_3
+conda-forge/noarch::foo-1.0-pyhd8ed1ab_0
# remove specs: ['old']
# update specs: ['foo=1.0', 'legacy', 'generic', 'python=3.11']
# neutered specs: ['baz==1.2']
)";

} // namespace

TEST_CASE("conda's block is read and written byte for byte") {
    const auto blocks = parse_history(example);
    REQUIRE(blocks.size() == 1);
    const HistoryBlock& block = blocks[0];
    CHECK(block.date == "2026-11-22 19:57:35");
    CHECK(block.command == "/opt/conda/bin/conda create -n t1 -c conda-forge foo=1.0 legacy generic python=3.11");
    CHECK(block.tool_version == "26.5.0");
    CHECK(block.removed == Strings{"conda-forge/noarch::old-0.9-pyhd8ed1ab_0"});
    CHECK(block.added.size() == 2);
    CHECK(block.remove_specs == Strings{"old"});
    CHECK(block.update_specs == Strings{"foo=1.0", "legacy", "generic", "python=3.11"});
    CHECK(block.neutered_specs == Strings{"baz==1.2"});

    const HistoryEntry entry{block.date,         block.command,      block.tool_version,
                             block.remove_specs, block.update_specs, block.neutered_specs};
    CHECK(format_history_block(entry, {"conda-forge/noarch::old-0.9-pyhd8ed1ab_0", "same"},
                               {"same", "conda-forge/noarch::foo-1.0-pyhd8ed1ab_0",
                                "conda-forge/linux-64::bar-2.1.0-h123_3"}) == example);
    CHECK(format_history_block({"d", "c", "v", {}, {}, {}}, {"a"}, {"a"}).empty());
}

TEST_CASE("spec lists are Python literals or old comma lists") {
    CHECK(python_list({"foo[version='>=1.0']", "legacy==0.1=0"}) == R"(["foo[version='>=1.0']", 'legacy==0.1=0'])");
    CHECK(python_list({}) == "[]");
    const Strings nasty{"a'b\"c", "x\\y", ""};
    CHECK(parse_spec_list(python_list(nasty)) == nasty);
    CHECK(parse_spec_list(R"(["foo[version='>=1.0']", 'legacy==0.1=0'])") ==
          Strings{"foo[version='>=1.0']", "legacy==0.1=0"});
    CHECK(parse_spec_list("foo >=1,<2,bar, baz 1.*,!=1.3") == Strings{"foo >=1,<2", "bar", "baz 1.*,!=1.3"});
    CHECK(parse_spec_list("python") == Strings{"python"});
    CHECK(parse_spec_list("['torn").size() == 1);
}

TEST_CASE("requested specs are folded over all blocks") {
    const auto blocks = parse_history(R"(==> 2020-01-01 00:00:00 <==
# cmd: conda create foo bar
+defaults::foo-1-0
+defaults::bar-1-0
# install specs: ['foo=1', "bar", 'feature@']
==> 2020-01-02 00:00:00 <==
+defaults::extra-1-0
# update specs: ['ignored']
==> 2020-01-03 00:00:00 <==
# cmd: conda remove bar
-defaults::bar-1-0
# remove specs: ['bar']
==> 2020-01-04 00:00:00 <==
# cmd: mamba install
# update specs: ["ignored=2", "gone", "foo=2"]
# neutered specs: ['foo']
garbage
)");
    REQUIRE(blocks.size() == 4);
    const auto requested = requested_specs(blocks, {"foo", "ignored", "bar", "extra"});
    REQUIRE(requested.size() == 2);
    CHECK(requested.at("foo").to_string() == "foo");
    CHECK(requested.at("ignored").to_string() == "ignored=2");
    CHECK(history_state(blocks, 1) == std::set<std::string>{"defaults::foo-1-0", "defaults::bar-1-0"});
    CHECK(history_state(blocks).contains("defaults::extra-1-0"));
    CHECK_FALSE(history_state(blocks).contains("defaults::bar-1-0"));
}

TEST_CASE("a block is appended for what is really installed") {
    Scratch scratch;
    scratch.write("conda-meta/history", example);
    PackageRecord foo;
    foo.name = "foo";
    foo.version = "1.0";
    foo.build = "pyhd8ed1ab_0";
    foo.channel_name = "conda-forge";
    foo.subdir = "noarch";
    HistoryEntry entry{"2027-01-01 00:00:00", "taipan remove\nbar", "1.2.3", {"bar"}, {}, {}};
    REQUIRE(append_history(scratch.path, entry, {foo}));
    CHECK(scratch.read("conda-meta/history") ==
          example + "==> 2027-01-01 00:00:00 <==\n# cmd: taipan remove bar\n# conda version: 1.2.3\n"
                    "-conda-forge/linux-64::bar-2.1.0-h123_3\n# remove specs: ['bar']\n");
    entry.remove_specs.clear();
    const std::string before = scratch.read("conda-meta/history");
    REQUIRE(append_history(scratch.path, entry, {foo}));
    CHECK(scratch.read("conda-meta/history") == before);
    CHECK(load_history(scratch.at("none"))->empty());
}
