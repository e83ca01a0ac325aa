#include "image/layer_groups.hpp"

#include <catch2/catch.hpp>

#include <set>
#include <vector>

using namespace taipan;

namespace {

std::vector<LayerMember> packages(std::size_t small, std::size_t large) {
    std::vector<LayerMember> members;
    for (std::size_t i = 0; i < small; ++i) members.push_back({"small" + std::to_string(i), 1000 + i});
    for (std::size_t i = 0; i < large; ++i) members.push_back({"large" + std::to_string(i), (10 + i) << 20U});
    return members;
}

std::set<std::set<std::string>> names(const std::vector<LayerMember>& members, std::size_t limit) {
    std::set<std::set<std::string>> layers;
    for (const auto& layer : group_layers(members, limit)) {
        std::set<std::string> group;
        for (const std::size_t index : layer) group.insert(members[index].name);
        layers.insert(group);
    }
    return layers;
}

} // namespace

TEST_CASE("every package is in one layer, and there are not too many layers") {
    for (const std::size_t limit : std::vector<std::size_t>{3, 10, 99, 126}) {
        for (const auto& members :
             {packages(0, 0), packages(1, 0), packages(200, 300), packages(1000, 0), packages(0, 500)}) {
            const auto layers = group_layers(members, limit);
            CHECK(layers.size() <= limit);
            std::set<std::size_t> seen;
            for (const auto& layer : layers) {
                CHECK_FALSE(layer.empty());
                for (const std::size_t index : layer) CHECK(seen.insert(index).second);
            }
            CHECK(seen.size() == members.size());
        }
    }
}

TEST_CASE("a large package is alone in its layer") {
    const auto layers = names(packages(100, 20), 99);
    for (int i = 0; i < 20; ++i) CHECK(layers.contains({"large" + std::to_string(i)}));
}

TEST_CASE("another package or size leaves the other layers as they are") {
    const auto before = names(packages(100, 20), 99);
    auto members = packages(100, 20);
    members[7].size += 5000;
    CHECK(names(members, 99) == before);
    members.insert(members.begin() + 30, LayerMember{"new", 5});
    std::size_t changed = 0;
    for (const auto& layer : names(members, 99)) changed += before.contains(layer) ? 0U : 1U;
    CHECK(changed == 1);
}
