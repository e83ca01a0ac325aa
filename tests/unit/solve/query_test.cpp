#include <catch2/catch.hpp>

#include "memory_source.hpp"
#include "solve/query.hpp"

using namespace taipan;
using namespace taipan::test;
using Names = std::vector<std::string>;

namespace {

void fill(MemorySource& source) {
    source.add_channel("main",
                       {package("app", "2.0", "0", {"lib >=2", "tool"}), package("app", "1.0", "0", {"lib 1.*"}),
                        package("lib", "1.9"), package("lib", "2.10"), package("lib", "2.9", "1"),
                        package("tool", "1", "0", {"lib", "gone 3", "app"}), package("toy", "1", "0", {"tool >5"})});
    source.add_channel("other", {package("lib", "3.0"), package("tool", "9")});
}

Names nodes(const PackageGraph& graph) {
    Names names;
    for (const auto& node : graph.nodes) names.push_back(node.found() ? node.record.dist_name() : '?' + node.spec);
    return names;
}

Names nearby(const PackageGraph& graph, std::size_t at) {
    Names names;
    for (const auto other : graph.nodes[at].nearby) names.push_back(graph.nodes[other].record.name);
    return names;
}

} // namespace

TEST_CASE("packages are found by name, glob and version, in order", "[query]") {
    MemorySource source;
    fill(source);
    CHECK(names_of(*find_packages(source, spec("lib"))) == Names{"lib-1.9-0", "lib-2.9-1", "lib-2.10-0", "lib-3.0-0"});
    CHECK(names_of(*find_packages(source, spec("to*"))) == Names{"tool-1-0", "tool-9-0", "toy-1-0"});
    CHECK(names_of(*find_packages(source, spec("lib>=2.10"))) == Names{"lib-2.10-0", "lib-3.0-0"});
    CHECK(names_of(*find_packages(source, spec("other::lib"))) == Names{"lib-3.0-0"});
    CHECK(find_packages(source, spec("nothing"))->empty());
    CHECK(find_packages(source, spec("lib=7"))->empty());
}

TEST_CASE("what a package needs is followed to the best packages", "[query]") {
    MemorySource source;
    fill(source);
    const auto direct = needed_packages(source, spec("app"), false);
    REQUIRE(direct);
    CHECK(direct->roots == 1);
    CHECK(nodes(*direct) ==
          Names{"app-2.0-0", "lib-2.10-0", "tool-1-0"}); // of the first channel, though not the newest
    const auto all = needed_packages(source, spec("app"), true);
    REQUIRE(all);
    CHECK(nodes(*all) == Names{"app-2.0-0", "lib-2.10-0", "tool-1-0", "?gone 3"});
    CHECK(nearby(*all, 2) == Names{"lib", "", "app"}); // a circle ends
    CHECK(nodes(*needed_packages(source, spec("app=1"), true)) == Names{"app-1.0-0", "lib-1.9-0"});
    CHECK(needed_packages(source, spec("app=7"), true)->nodes.empty());
}

TEST_CASE("what needs a package", "[query]") {
    MemorySource source;
    fill(source);
    const auto direct = needing_packages(source, spec("lib"), false);
    REQUIRE(direct);
    CHECK(direct->roots == 4);
    const Names reached = nodes(*direct);
    CHECK(Names(reached.begin() + 4, reached.end()) == Names{"app-2.0-0", "app-1.0-0", "tool-1-0"});
    const auto newest = needing_packages(source, spec("lib=2.10"), false);
    CHECK(nodes(*newest) == Names{"lib-2.10-0", "app-2.0-0", "tool-1-0"});
    CHECK(newest->nodes[1].spec == "lib >=2");
    const auto all = needing_packages(source, spec("tool=9"), true);
    CHECK(nodes(*all) == Names{"tool-9-0", "app-2.0-0", "toy-1-0"});
    CHECK(nearby(*all, 0) == Names{"app", "toy"});
    SECTION("a package that only others mention") {
        const auto gone = needing_packages(source, spec("gone"), false);
        CHECK(gone->roots == 1);
        CHECK(nearby(*gone, 0) == Names{"tool"});
    }
    CHECK(needing_packages(source, spec("nothing"), true)->nodes.empty());
}
