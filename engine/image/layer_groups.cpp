#include "image/layer_groups.hpp"

#include <algorithm>
#include <map>
#include <set>

namespace taipan {

namespace {

constexpr std::uint64_t large = std::uint64_t{4} << 20U;
constexpr std::size_t most_buckets = 32;

/// FNV-1a: the same on every machine.
std::uint64_t hash_of(const std::string& name) {
    std::uint64_t hash = 0xcbf29ce484222325U;
    for (const char c : name) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3U;
    return hash;
}

/// The largest of the large ones, if there are too many.
std::set<std::size_t> with_own_layer(const std::vector<LayerMember>& members, std::size_t most) {
    std::vector<std::size_t> candidates;
    for (std::size_t i = 0; i < members.size(); ++i) {
        if (members[i].size >= large) candidates.push_back(i);
    }
    std::sort(candidates.begin(), candidates.end(), [&](std::size_t a, std::size_t b) {
        return std::pair(members[b].size, members[a].name) < std::pair(members[a].size, members[b].name);
    });
    if (candidates.size() > most) candidates.resize(most);
    return {candidates.begin(), candidates.end()};
}

} // namespace

std::vector<std::vector<std::size_t>> group_layers(const std::vector<LayerMember>& members, std::size_t limit) {
    const std::size_t buckets = std::clamp<std::size_t>(limit / 3, 1, most_buckets);
    const auto own = with_own_layer(members, limit - buckets);
    std::vector<std::vector<std::size_t>> layers;
    std::map<std::uint64_t, std::vector<std::size_t>> shared;
    for (std::size_t i = 0; i < members.size(); ++i) {
        if (own.contains(i))
            layers.push_back({i});
        else
            shared[hash_of(members[i].name) % buckets].push_back(i);
    }
    for (auto& [bucket, packages] : shared) layers.push_back(std::move(packages));
    return layers;
}

} // namespace taipan
