// From libsolv's contradicting rules to a tree.
//
// The rules name single builds; a name has hundreds, which fail for the same kind of reason. So entries are merged when
// they fail over the same names, and what they need of a name stands in one line as alternatives. Whoever is in
// somebody's way is found through demands: what jobs and packages in the rules want of one name. What must hold: the
// tree is finite (a set of dependencies is expanded once) and short (each list is cut, and says so).
#include "solve/explain_tree.hpp"

#include <algorithm>
#include <map>
#include <set>
#include <tuple>

#include "solve/explain_words.hpp"

namespace taipan::solve_detail {
namespace {

constexpr std::size_t shown_children = 8, shown_excluders = 3, shown_conflicts = 3;
constexpr int deepest = 9;

using DependencyIds = std::vector<DependencyId>;

/// What happens to packages, by the name it is about.
struct Fate {
    std::map<NameId, DependencyIds> missing; ///< needs these, and nothing fulfils them
    std::map<NameId, DependencyIds> needs;   ///< needs these, and all that fulfil them fail
    std::map<std::pair<NameId, DependencyId>, std::set<EntryId>> excludes;
    std::vector<DependencyId> unreadable;
    bool rival = false; ///< another version of its name is needed elsewhere

    /// Equal for packages that can share a line.
    using Shape = std::tuple<std::set<NameId>, std::set<NameId>, std::set<NameId>, bool>;
    [[nodiscard]] Shape shape() const {
        Shape shape;
        for (const auto& [name, ids] : missing) std::get<0>(shape).insert(name);
        for (const auto& [name, ids] : needs) std::get<1>(shape).insert(name);
        for (const auto& [key, targets] : excludes) std::get<2>(shape).insert(key.first);
        std::get<3>(shape) = rival;
        return shape;
    }
};

void add(DependencyIds& list, DependencyId id) {
    if (std::find(list.begin(), list.end(), id) == list.end()) list.push_back(id);
}

/// What one side wants of a name.
struct Demand {
    DependencyIds specs = {};
    std::string by = {};
    std::vector<EntryId> sources = {}; ///< the packages that want it; none for a job
    bool constraint = false;           ///< they do not need the name, but go together only with this of it
};

class Explainer {
public:
    Explainer(Catalog& catalog, const AttemptPlan& plan, const Reach& reach)
        : catalog_(catalog), plan_(plan), reach_(reach), words_(catalog, plan, reach) {}

    Explanation run(const Answer& answer) {
        collect(answer);
        Explanation explanation;
        for (const std::size_t index : jobs_)
            if (index < plan_.jobs.size()) explanation.roots.push_back(job_node(plan_.jobs[index]));
        explanation.conflicts = conflicts();
        return explanation;
    }

private:
    void collect(const Answer& answer);
    void collect(const Reason& reason);
    void demand_by_job(NameId name, DependencyId spec, const std::string& by);
    void demand_by_package(NameId name, DependencyId spec, EntryId source, bool constraint);
    Node job_node(const Job& job);
    Node need_node(std::string text, const DependencyIds& ids, int depth);
    Node group_node(const std::vector<EntryId>& entries, const DependencyIds& wanted_by, int depth);
    std::vector<Node> fate_nodes(const std::vector<EntryId>& entries, int depth);
    [[nodiscard]] std::string excluders(const std::vector<EntryId>& entries, const DependencyIds& but) const;
    [[nodiscard]] std::string excluded_by(const Demand& demand) const;
    [[nodiscard]] bool inevitable(const Demand& demand) const;
    [[nodiscard]] std::vector<Conflict> conflicts() const;
    [[nodiscard]] std::vector<std::vector<EntryId>> groups_of(const DependencyIds& ids) const;
    [[nodiscard]] std::vector<std::string> version_list(std::vector<EntryId> entries) const;
    [[nodiscard]] bool fulfils(EntryId entry, const DependencyIds& specs) const;
    void sort_newest_first(DependencyIds& ids) const;

    Catalog& catalog_;
    const AttemptPlan& plan_;
    const Reach& reach_;
    Words words_;
    std::set<std::size_t> jobs_;
    std::map<EntryId, Fate> fates_;
    std::map<NameId, std::vector<Demand>> demands_;
    std::set<NameId> contested_; ///< names of which two versions are wanted at once
    std::set<DependencyIds> expanded_;
};

/// Each job for itself: two of them may contradict each other.
void Explainer::demand_by_job(NameId name, DependencyId spec, const std::string& by) {
    auto& list = demands_[name];
    const auto same = [&](const Demand& one) {
        return one.by == by && one.sources.empty() && one.specs.front() == spec;
    };
    if (std::none_of(list.begin(), list.end(), same)) list.push_back({.specs = {spec}, .by = by});
}

void Explainer::demand_by_package(NameId name, DependencyId spec, EntryId source, bool constraint) {
    auto& list = demands_[name];
    const std::string& by = catalog_.name(catalog_.entry(source).name).text;
    auto found = std::find_if(list.begin(), list.end(), [&](const Demand& one) {
        return one.by == by && !one.sources.empty() && one.constraint == constraint;
    });
    if (found == list.end()) found = list.insert(list.end(), {.specs = {}, .by = by, .constraint = constraint});
    add(found->specs, spec);
    found->sources.push_back(source);
}

void Explainer::collect(const Reason& reason) {
    if (reason.job) {
        jobs_.insert(*reason.job);
        if (*reason.job < plan_.jobs.size() && plan_.jobs[*reason.job].kind == Job::Kind::install) {
            const Job& job = plan_.jobs[*reason.job];
            for (const NameId name : catalog_.dependency(job.dependency).names)
                demand_by_job(name, job.dependency, words_.origin(job));
        }
    }
    if (!reason.source) return;
    Fate& fate = fates_[*reason.source];
    const NameId own = catalog_.entry(*reason.source).name;
    const auto names = reason.dependency ? catalog_.dependency(*reason.dependency).names : std::vector<NameId>{};
    switch (reason.kind) {
    case Reason::Kind::requires_:
        for (const NameId name : names) {
            add(fate.needs[name], *reason.dependency);
            demand_by_package(name, *reason.dependency, *reason.source, false);
        }
        break;
    case Reason::Kind::no_provider:
        if (names.empty()) add(fate.unreadable, *reason.dependency);
        for (const NameId name : names) add(fate.missing[name], *reason.dependency);
        break;
    case Reason::Kind::constrains:
        if (reason.target && reason.dependency) {
            const NameId excluded = catalog_.entry(*reason.target).name;
            fate.excludes[{excluded, *reason.dependency}].insert(*reason.target);
            demand_by_package(excluded, *reason.dependency, *reason.source, true);
            contested_.insert(excluded);
        }
        break;
    case Reason::Kind::same_name:
        fate.rival = true;
        if (reason.target) fates_[*reason.target].rival = true;
        contested_.insert(own);
        break;
    default: break;
    }
}

void Explainer::collect(const Answer& answer) {
    for (const auto& problem : answer.problems)
        for (const Reason& reason : problem) collect(reason);
    // What the user said comes first, the rest by name: the rules are in no order of meaning.
    for (auto& [name, list] : demands_)
        std::stable_sort(list.begin(), list.end(), [&](const Demand& a, const Demand& b) {
            const auto key = [&](const Demand& one) {
                return std::tuple(!one.sources.empty(), one.by, catalog_.dependency(one.specs.front()).text);
            };
            return key(a) < key(b);
        });
}

bool Explainer::fulfils(EntryId entry, const DependencyIds& specs) const {
    return std::any_of(specs.begin(), specs.end(), [&](DependencyId id) {
        const auto& spec = catalog_.dependency(id).spec;
        return spec && catalog_.matches(*spec, entry);
    });
}

std::vector<std::string> Explainer::version_list(std::vector<EntryId> entries) const {
    std::stable_sort(entries.begin(), entries.end(),
                     [&](EntryId a, EntryId b) { return catalog_.entry(a).version < catalog_.entry(b).version; });
    std::vector<std::string> list;
    for (const EntryId id : entries) {
        const auto& version = catalog_.entry(id).record.version;
        if (list.empty() || list.back() != version) list.push_back(version);
    }
    return list;
}

/// Alternatives are read from the newest on.
void Explainer::sort_newest_first(DependencyIds& ids) const {
    const auto newest = [&](DependencyId id) -> const Version* {
        const Version* best = nullptr;
        for (const EntryId entry : catalog_.dependency(id).matches)
            if (best == nullptr || *best < catalog_.entry(entry).version) best = &catalog_.entry(entry).version;
        return best;
    };
    std::stable_sort(ids.begin(), ids.end(), [&](DependencyId a, DependencyId b) {
        const Version* const x = newest(a);
        const Version* const y = newest(b);
        if (x == nullptr || y == nullptr) return x != nullptr && y == nullptr;
        return *y < *x;
    });
}

/// "python=3.7 (requested)", "lib <2 (needed by b 1.0)", "lib <2 (a constraint of c 1.0)".
std::string Explainer::excluded_by(const Demand& demand) const {
    DependencyIds specs = demand.specs;
    sort_newest_first(specs);
    std::string by = demand.by;
    if (!demand.sources.empty())
        by = (demand.constraint ? "a constraint of " : "needed by ") + by + ' ' + words_.versions(demand.sources);
    return words_.alternatives(specs) + " (" + by + ')';
}

/// Who wants something else of the name than these entries.
std::string Explainer::excluders(const std::vector<EntryId>& entries, const DependencyIds& but) const {
    const auto found = demands_.find(catalog_.entry(entries.front()).name);
    std::vector<std::string> all, some;
    if (found != demands_.end()) {
        for (const Demand& demand : found->second) {
            if (std::any_of(but.begin(), but.end(), [&](DependencyId id) {
                    return std::find(demand.specs.begin(), demand.specs.end(), id) != demand.specs.end();
                }))
                continue;
            const auto fitting = static_cast<std::size_t>(std::count_if(
                entries.begin(), entries.end(), [&](EntryId entry) { return fulfils(entry, demand.specs); }));
            if (fitting < entries.size()) (fitting == 0 ? all : some).push_back(excluded_by(demand));
        }
    }
    auto& chosen = all.empty() ? some : all;
    if (chosen.size() > shown_excluders) {
        const std::size_t hidden = chosen.size() - shown_excluders;
        chosen.resize(shown_excluders);
        chosen.push_back(std::to_string(hidden) + " more");
    }
    return join(chosen, " and ");
}

std::vector<std::vector<EntryId>> Explainer::groups_of(const DependencyIds& ids) const {
    std::map<std::pair<NameId, Fate::Shape>, std::vector<EntryId>> by_shape;
    std::set<EntryId> seen;
    for (const DependencyId id : ids) {
        for (const EntryId entry : reach_.providers(id)) {
            if (!seen.insert(entry).second) continue;
            const auto fate = fates_.find(entry);
            const auto shape = fate == fates_.end() ? Fate::Shape{} : fate->second.shape();
            by_shape[{catalog_.entry(entry).name, shape}].push_back(entry);
        }
    }
    std::vector<std::vector<EntryId>> groups;
    for (auto& [shape, entries] : by_shape) {
        std::stable_sort(entries.begin(), entries.end(),
                         [&](EntryId a, EntryId b) { return catalog_.entry(b).version < catalog_.entry(a).version; });
        groups.push_back(std::move(entries));
    }
    std::stable_sort(groups.begin(), groups.end(), [&](const auto& a, const auto& b) {
        return catalog_.entry(b.front()).version < catalog_.entry(a.front()).version;
    });
    return groups;
}

void cut(std::vector<Node>& nodes, const std::string& what) {
    if (nodes.size() <= shown_children) return;
    const std::size_t hidden = nodes.size() - shown_children;
    nodes.resize(shown_children);
    nodes.push_back({.text = "and " + std::to_string(hidden) + ' ' + what, .kind = "more"});
}

std::vector<Node> Explainer::fate_nodes(const std::vector<EntryId>& entries, int depth) {
    Fate merged;
    for (const EntryId entry : entries) {
        const auto found = fates_.find(entry);
        if (found == fates_.end()) continue;
        for (const auto& [name, ids] : found->second.missing)
            for (const DependencyId id : ids) add(merged.missing[name], id);
        for (const auto& [name, ids] : found->second.needs)
            for (const DependencyId id : ids) add(merged.needs[name], id);
        for (const auto& [key, targets] : found->second.excludes)
            merged.excludes[key].insert(targets.begin(), targets.end());
        for (const DependencyId id : found->second.unreadable) add(merged.unreadable, id);
    }
    std::vector<Node> nodes;
    for (auto& [name, ids] : merged.missing) {
        std::map<std::string, DependencyIds> by_reason;
        for (const DependencyId id : ids) add(by_reason[words_.why_none(id)], id);
        for (const auto& [reason, same] : by_reason) {
            const std::string spec = words_.alternatives(same);
            nodes.push_back({.text = "needs " + spec + ": " + reason,
                             .kind = "needs",
                             .spec = spec,
                             .name = catalog_.name(name).text,
                             .reason = reason});
        }
    }
    for (auto& [name, ids] : merged.needs) nodes.push_back(need_node("needs ", ids, depth + 1));
    for (const auto& [key, targets] : merged.excludes) {
        const auto& spec = catalog_.dependency(key.second).text;
        const std::vector<EntryId> list(targets.begin(), targets.end());
        const std::string& name = catalog_.name(key.first).text;
        nodes.push_back({.text = "goes together only with " + spec + ", not with " + name + ' ' + words_.versions(list),
                         .kind = "excludes",
                         .spec = spec,
                         .name = name,
                         .versions = version_list(list)});
    }
    for (const DependencyId id : merged.unreadable)
        nodes.push_back(
            {.text = "needs " + catalog_.dependency(id).text + ": " + words_.why_none(id), .kind = "needs"});
    cut(nodes, "more");
    return nodes;
}

Node Explainer::group_node(const std::vector<EntryId>& entries, const DependencyIds& wanted_by, int depth) {
    const std::string& name = catalog_.entry(entries.front()).record.name;
    Node node{.text = name + ' ' + words_.versions(entries),
              .kind = "package",
              .name = name,
              .versions = version_list(entries),
              .children = fate_nodes(entries, depth)};
    if (!node.children.empty()) return node;
    const std::string others = excluders(entries, wanted_by);
    const auto fate = fates_.find(entries.front());
    const bool rival = fate != fates_.end() && fate->second.rival;
    if (!others.empty())
        node.reason = "excluded by " + others;
    else if (rival)
        node.reason = "another version of " + name + " is needed as well";
    else
        node.reason = "does not fit the rest";
    node.text += ": " + node.reason;
    return node;
}

Node Explainer::need_node(std::string text, const DependencyIds& wanted, int depth) {
    DependencyIds ids = wanted;
    sort_newest_first(ids);
    const std::string spec = words_.alternatives(ids);
    const auto& names = catalog_.dependency(ids.front()).names;
    Node node{.text = std::move(text) + spec, .kind = "needs", .spec = spec};
    if (names.size() == 1) node.name = catalog_.name(names.front()).text;
    const auto groups = groups_of(ids);
    if (groups.empty()) {
        node.reason = words_.why_none(ids.front());
        node.text += ": " + node.reason;
        return node;
    }
    if (depth >= deepest) return node;
    DependencyIds key = ids;
    std::sort(key.begin(), key.end());
    if (!expanded_.insert(key).second) {
        node.reason = "see above";
        node.text += " (see above)";
        return node;
    }
    for (const auto& entries : groups) node.children.push_back(group_node(entries, ids, depth + 1));
    cut(node.children, "other groups of versions");
    return node;
}

Node Explainer::job_node(const Job& job) {
    if (job.kind == Job::Kind::install) {
        Node node = need_node("as " + words_.origin(job) + ": ", {job.dependency}, 0);
        node.kind = "request";
        return node;
    }
    const auto& record = catalog_.entry(job.entry).record;
    return {.text = words_.package(job.entry) + ", installed and to be kept",
            .kind = "request",
            .spec = record.name + "==" + record.version + '=' + record.build,
            .name = record.name,
            .versions = {record.version},
            .children = fate_nodes({job.entry}, 0)};
}

/// True when there is no way around the demand: the user makes it, or every package makes it that could be chosen of a
/// name that is asked for.
bool Explainer::inevitable(const Demand& demand) const {
    if (demand.sources.empty()) return true;
    const auto makes_it = [&](EntryId entry) {
        return std::find(demand.sources.begin(), demand.sources.end(), entry) != demand.sources.end();
    };
    const NameId name = catalog_.entry(demand.sources.front()).name;
    for (const Job& job : plan_.jobs) {
        if (job.kind != Job::Kind::install) continue;
        const auto& names = catalog_.dependency(job.dependency).names;
        if (names.size() != 1 || names.front() != name) continue;
        const auto providers = reach_.providers(job.dependency);
        if (std::all_of(providers.begin(), providers.end(), makes_it)) return true;
    }
    const auto& entries = catalog_.name(name).entries;
    return std::all_of(entries.begin(), entries.end(),
                       [&](EntryId entry) { return !reach_.reached(entry) || makes_it(entry); });
}

/// Names of which no known package fits two demands that are inevitable.
std::vector<Conflict> Explainer::conflicts() const {
    std::vector<Conflict> result;
    for (const auto& [name, demands] : demands_) {
        if (!contested_.contains(name) || result.size() == shown_conflicts) continue;
        const auto& entries = catalog_.name(name).entries;
        const auto disjoint = [&](const Demand& a, const Demand& b) {
            return std::none_of(entries.begin(), entries.end(), [&](EntryId entry) {
                return reach_.reached(entry) && fulfils(entry, a.specs) && fulfils(entry, b.specs);
            });
        };
        for (std::size_t i = 0; i < demands.size(); ++i) {
            for (std::size_t j = i + 1; j < demands.size(); ++j) {
                if (!disjoint(demands[i], demands[j]) || result.size() == shown_conflicts) continue;
                if (!inevitable(demands[i]) || !inevitable(demands[j])) continue;
                Conflict conflict{catalog_.name(name).text, {}, {}};
                std::vector<EntryId> fitting;
                for (const EntryId entry : entries)
                    if (fulfils(entry, demands[i].specs) && fulfils(entry, demands[j].specs)) fitting.push_back(entry);
                conflict.blocked = words_.why_blocked(fitting);
                for (const Demand* side : {&demands[i], &demands[j]}) {
                    Demand sorted = *side;
                    sort_newest_first(sorted.specs);
                    const bool by_package = !sorted.sources.empty();
                    const std::string versions = by_package ? ' ' + words_.versions(sorted.sources) : std::string();
                    conflict.demands.push_back(
                        {words_.alternatives(sorted.specs), sorted.by + versions, by_package, sorted.constraint});
                }
                result.push_back(std::move(conflict));
            }
        }
    }
    return result;
}

} // namespace

Explanation make_explanation(Catalog& catalog, const AttemptPlan& plan, const Reach& reach, const Answer& answer) {
    return Explainer(catalog, plan, reach).run(answer);
}

} // namespace taipan::solve_detail
