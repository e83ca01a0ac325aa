#include <catch2/catch.hpp>

#include "solve/memory_source.hpp"
#include "solve/topological.hpp"

using namespace taipan;
using namespace taipan::test;
using Names = std::vector<std::string>;

namespace {

Names order(std::vector<PackageRecord> records) {
    Names names;
    for (const auto& record : topological_sort(std::move(records))) names.push_back(record.name);
    return names;
}

} // namespace

TEST_CASE("untied packages first, then layers, alphabetical inside", "[topological]") {
    CHECK(order({package("z", "1"), package("app", "1", "0", {"lib >=1"}), package("lib", "1", "0", {"base"}),
                 package("base", "1"), package("abc", "1"), package("other", "1", "0", {"base"})}) ==
          Names{"abc", "z", "base", "lib", "other", "app"});
}

TEST_CASE("a dependency outside of the set is no tie", "[topological]") {
    CHECK(order({package("b", "1", "0", {"elsewhere"}), package("a", "1")}) == Names{"a", "b"});
}

TEST_CASE("python before pip, though it depends on it", "[topological]") {
    CHECK(order({package("pip", "24", "0", {"python", "setuptools"}), package("python", "3.11", "0", {"pip", "zlib"}),
                 package("setuptools", "69", "0", {"python"}), package("zlib", "1")}) ==
          Names{"zlib", "python", "setuptools", "pip"});
}

TEST_CASE("menuinst before the rest of what needs python", "[topological]") {
    CHECK(order({package("menuinst", "1", "0", {"python", "ruamel"}), package("abc", "1", "0", {"python"}),
                 package("ruamel", "1", "0", {"python"}), package("python", "3.11")}) ==
          Names{"python", "ruamel", "menuinst", "abc"});
}

TEST_CASE("cycles end, deterministically", "[topological]") {
    const Names expected = {"a", "c", "b", "user"};
    CHECK(order({package("b", "1", "0", {"c"}), package("a", "1", "0", {"b"}), package("c", "1", "0", {"a"}),
                 package("user", "1", "0", {"c"})}) == Names{"a", "c", "b", "user"});
    CHECK(order({package("user", "1", "0", {"c"}), package("c", "1", "0", {"a"}), package("a", "1", "0", {"b"}),
                 package("b", "1", "0", {"c"})}) == expected);
}

TEST_CASE("a package that depends on itself", "[topological]") {
    CHECK(order({package("self", "1", "0", {"self"}), package("a", "1")}) == Names{"a", "self"});
}
