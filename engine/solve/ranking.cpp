// conda's preference among the packages of one name, as a number.
//
// libsolv is given ranks in place of versions, and who ties, so that this file alone decides what "newest" means. The
// priority of channels comes before, and is libsolv's to apply: to what is left of a name when others are ruled out.
// All criteria but one are a plain lexicographic order. The exception compares variants (equal up to the build number)
// by what their dependencies allow; that comparison need not be transitive, so it is only used inside such a group, by
// a stable insertion sort, which is deterministic whatever the comparison says.
#include "solve/ranking.hpp"

#include <algorithm>
#include <compare>
#include <map>
#include <optional>
#include <string_view>

namespace taipan::solve_detail {
namespace {

class Ranking {
public:
    Ranking(Catalog& catalog, bool channels_count) : catalog_(catalog), channels_count_(channels_count) {}

    /// Best first. `tie` counts up for each group of variants; `ties` is told it for each entry.
    void sort(std::vector<EntryId>& group, std::vector<std::uint32_t>& ties, std::uint32_t& tie);

private:
    [[nodiscard]] std::weak_ordering compare_plain(const Entry& a, const Entry& b) const;
    [[nodiscard]] bool variant_before(EntryId a, EntryId b);
    [[nodiscard]] int compare_dependencies(EntryId a, EntryId b);

    /// The dependencies that carry a constraint, by name, each list sorted.
    using Constraints = std::map<NameId, std::vector<DependencyId>>;
    const Constraints& constraints_of(EntryId id);
    /// What fulfils all of them: the newest version, and whether everything that does has track_features.
    struct Best {
        std::optional<EntryId> newest;
        bool all_track_features = true;
    };
    const Best& best(NameId name, const std::vector<DependencyId>& dependencies);

    Catalog& catalog_;
    bool channels_count_; ///< among equal versions
    std::map<EntryId, Constraints> constraints_;
    std::map<std::vector<DependencyId>, Best> best_;
};

std::weak_ordering Ranking::compare_plain(const Entry& a, const Entry& b) const {
    if (a.track_features != b.track_features) return b.track_features <=> a.track_features;
    if (const auto order = a.version <=> b.version; order != 0) return order;
    if (channels_count_) {
        // Without priorities conda ranks every subdir by itself, a channel's platform above its noarch.
        const int priority_a = catalog_.channel_priority(a), priority_b = catalog_.channel_priority(b);
        if (priority_a != priority_b) return priority_a <=> priority_b;
        const bool noarch_a = a.record.subdir == "noarch", noarch_b = b.record.subdir == "noarch";
        if (noarch_a != noarch_b) return noarch_b <=> noarch_a;
    }
    return a.record.build_number <=> b.record.build_number;
}

const Ranking::Constraints& Ranking::constraints_of(EntryId id) {
    const auto [found, is_new] = constraints_.try_emplace(id);
    if (!is_new) return found->second;
    for (const DependencyId dependency : catalog_.entry(id).depends) {
        const auto& spec = *catalog_.dependency(dependency).spec;
        if (!spec.has_exact_name() || spec.is_name_only()) continue;
        found->second[catalog_.intern_name(spec.name())].push_back(dependency);
    }
    for (auto& [name, list] : found->second) {
        std::sort(list.begin(), list.end());
        list.erase(std::unique(list.begin(), list.end()), list.end());
    }
    return found->second;
}

const Ranking::Best& Ranking::best(NameId name, const std::vector<DependencyId>& dependencies) {
    const auto [found, is_new] = best_.try_emplace(dependencies);
    if (!is_new) return found->second;
    Best& best = found->second;
    for (const EntryId id : catalog_.name(name).entries) {
        const bool fits = std::all_of(dependencies.begin(), dependencies.end(), [&](DependencyId dependency) {
            return catalog_.matches(*catalog_.dependency(dependency).spec, id);
        });
        if (!fits) continue;
        const Entry& entry = catalog_.entry(id);
        if (entry.track_features == 0) best.all_track_features = false;
        if (!best.newest || catalog_.entry(*best.newest).version < entry.version) best.newest = id;
    }
    return best;
}

/// conda-spec 11.6: > 0 when a is to be preferred.
int Ranking::compare_dependencies(EntryId a, EntryId b) {
    constexpr int track_features_penalty = 100;
    // References into a map stay valid while it grows.
    const Constraints& of_a = constraints_of(a);
    const Constraints& of_b = constraints_of(b);
    int score = 0;
    for (const auto& [name, list_a] : of_a) {
        const auto found = of_b.find(name);
        if (found == of_b.end() || found->second == list_a) continue;
        const Best& best_a = best(name, list_a);
        const Best& best_b = best(name, found->second);
        if (!best_a.newest || !best_b.newest) continue;
        if (best_a.all_track_features != best_b.all_track_features)
            score += best_a.all_track_features ? -track_features_penalty : track_features_penalty;
        const auto order = catalog_.entry(*best_a.newest).version <=> catalog_.entry(*best_b.newest).version;
        if (order > 0)
            ++score;
        else if (order < 0)
            --score;
    }
    return score;
}

bool Ranking::variant_before(EntryId id_a, EntryId id_b) {
    const Entry& a = catalog_.entry(id_a);
    const Entry& b = catalog_.entry(id_b);
    // Another variant is no reason to replace what is there.
    if (a.installed != b.installed) return a.installed;
    if (const int score = compare_dependencies(id_a, id_b); score != 0) return score > 0;
    constexpr std::int64_t milliseconds = 1000;
    const auto seconds = [](const Entry& entry) { return entry.record.timestamp.value_or(0) / milliseconds; };
    if (seconds(a) != seconds(b)) return seconds(a) > seconds(b);
    // Nothing of meaning is left: the order in which mamba meets them, subdir by subdir, file names ascending.
    if ((a.record.subdir == "noarch") != (b.record.subdir == "noarch")) return b.record.subdir == "noarch";
    return a.record.fn < b.record.fn;
}

void Ranking::sort(std::vector<EntryId>& group, std::vector<std::uint32_t>& ties, std::uint32_t& tie) {
    std::stable_sort(group.begin(), group.end(),
                     [&](EntryId a, EntryId b) { return compare_plain(catalog_.entry(a), catalog_.entry(b)) > 0; });
    for (auto first = group.begin(); first != group.end();) {
        auto last = first + 1;
        while (last != group.end() && compare_plain(catalog_.entry(*first), catalog_.entry(*last)) == 0) ++last;
        ++tie;
        for (auto at = first; at != last; ++at) ties[*at] = tie;
        for (auto next = first + 1; next < last; ++next)
            for (auto at = next; at != first && variant_before(*at, *(at - 1)); --at) std::iter_swap(at, at - 1);
        first = last;
    }
}

} // namespace

Result<Ranks> rank_entries(Catalog& catalog, const Reach& reach) {
    std::map<NameId, std::vector<EntryId>> groups;
    for (const EntryId id : reach.entries()) groups[catalog.entry(id).name].push_back(id);
    Ranking ranking(catalog, catalog.request().channel_priority == ChannelPriority::disabled);
    Ranks ranks{std::vector<std::uint32_t>(catalog.entry_count(), 0),
                std::vector<std::uint32_t>(catalog.entry_count(), 0)};
    std::uint32_t tie = 0;
    for (auto& [name, group] : groups) {
        std::sort(group.begin(), group.end());
        ranking.sort(group, ranks.ties, tie);
        for (std::size_t i = 0; i < group.size(); ++i)
            ranks.ranks[group[i]] = static_cast<std::uint32_t>(group.size() - i);
    }
    return ranks;
}

} // namespace taipan::solve_detail
