// Which packages an attempt can choose from.
//
// Starting from the jobs, a dependency reaches the entries that fulfil it, and an entry reaches what it depends on; an
// entry that no dependency can ask for never enters libsolv's pool. What limits forbid (pins, frozen packages, strict
// channel priority, another machine) is left out here, so the pool shrinks further; why something was left out can be
// asked later, for the explanation.
#include "solve/attempt.hpp"

#include <algorithm>

namespace taipan::solve_detail {

Block Reach::limit(EntryId id) const {
    const Entry& entry = catalog_.entry(id);
    const std::string& name = catalog_.name(entry.name).text;
    if (entry.below_strict && !entry.installed) return Block::strict_priority;
    const auto [first, last] = limits_.pins.equal_range(name);
    for (auto pin = first; pin != last; ++pin)
        if (!catalog_.matches(pin->second.spec, id)) return pin->second.reason;
    if (entry.installed) return Block::none;
    const auto installed = catalog_.name(entry.name).installed;
    if (!installed) return Block::none;
    if (limits_.frozen.contains(name)) return Block::frozen;
    if (limits_.no_downgrade && entry.version < catalog_.entry(*installed).version &&
        !limits_.may_downgrade.contains(name))
        return Block::downgrade;
    return Block::none;
}

Block Reach::block(EntryId id) const {
    if (catalog_.entry(id).impossible) return Block::impossible;
    return limit(id);
}

void Reach::reach(EntryId id) {
    if (reached_.size() <= id) reached_.resize(std::max<std::size_t>(catalog_.entry_count(), id + 1), 0);
    if (reached_[id] != 0) return;
    if (limit(id) != Block::none) {
        reached_[id] = out;
        return;
    }
    reached_[id] = in;
    pending_.push_back(id);
}

Result<void> Reach::require(DependencyId id) {
    if (required_.size() <= id) required_.resize(std::max<std::size_t>(catalog_.dependency_count(), id + 1), 0);
    if (required_[id] != 0) return {};
    required_[id] = 1;
    TAIPAN_CHECK(catalog_.answer(id));
    met_.push_back(id);
    for (const EntryId entry : catalog_.dependency(id).matches) reach(entry);
    return {};
}

Result<void> Reach::follow(const std::vector<Job>& jobs) {
    for (const Job& job : jobs) {
        if (job.kind == Job::Kind::install) {
            TAIPAN_CHECK(require(job.dependency));
        } else {
            reach(job.entry);
            if (job.kind != Job::Kind::keep_entry && job.kind != Job::Kind::wanted)
                for (const EntryId id : catalog_.name(catalog_.entry(job.entry).name).entries) reach(id);
        }
    }
    while (!pending_.empty()) {
        const EntryId id = pending_.back();
        pending_.pop_back();
        TAIPAN_CHECK(catalog_.describe(id));
        const Entry& entry = catalog_.entry(id);
        if (entry.impossible) {
            reached_[id] = out;
            continue;
        }
        order_.push_back(id);
        for (const DependencyId dependency : entry.depends) TAIPAN_CHECK(require(dependency));
    }
    return {};
}

std::vector<EntryId> Reach::providers(DependencyId id) const {
    std::vector<EntryId> result;
    for (const EntryId entry : catalog_.dependency(id).matches)
        if (reached(entry)) result.push_back(entry);
    return result;
}

} // namespace taipan::solve_detail
