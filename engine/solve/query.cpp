// Questions about an index or an environment, without solving. Whoever asks what a package needs wants the usual
// answer soon, so every dependency is followed to the best package that fulfils it, each name once.

#include "solve/query.hpp"

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <tuple>

#include "model/dependency_name.hpp"
#include "model/version.hpp"

namespace taipan {

namespace {

/// A candidate with its version parsed once.
struct Ranked {
    Candidate candidate;
    Version version;
};

/// The candidates that match, the least preferred first.
Result<std::vector<Ranked>> matching(CandidateSource& source, const MatchSpec& spec, std::string_view name) {
    TAIPAN_TRY(auto candidates, source.candidates(name));
    std::vector<Ranked> found;
    for (auto& candidate : candidates) {
        auto version = Version::parse(candidate.record.version);
        if (!version || !spec.matches(candidate.record, *version)) continue;
        found.push_back({std::move(candidate), std::move(*version)});
    }
    return found;
}

bool older(const Ranked& a, const Ranked& b) {
    if (a.version != b.version) return a.version < b.version;
    const auto& x = a.candidate.record;
    const auto& y = b.candidate.record;
    return std::tie(x.build_number, x.build, x.subdir) < std::tie(y.build_number, y.build, y.subdir);
}

/// conda's order of a list: the build number counts for nothing.
bool listed_before(const Ranked& a, const Ranked& b) {
    if (a.version != b.version) return a.version < b.version;
    const auto& x = a.candidate.record;
    const auto& y = b.candidate.record;
    return std::tie(x.build, x.build_number, x.subdir) < std::tie(y.build, y.build_number, y.subdir);
}

bool less_preferred(const Ranked& a, const Ranked& b) {
    if (a.candidate.channel_priority != b.candidate.channel_priority)
        return a.candidate.channel_priority < b.candidate.channel_priority;
    return older(a, b);
}

Result<std::vector<std::string>> names_of(CandidateSource& source, const MatchSpec& spec) {
    if (spec.has_exact_name()) return std::vector<std::string>{spec.name()};
    return source.names_matching(spec.name());
}

Result<std::optional<PackageRecord>> best(CandidateSource& source, const MatchSpec& spec) {
    std::optional<Ranked> chosen;
    TAIPAN_TRY(const auto names, names_of(source, spec));
    for (const auto& name : names) {
        TAIPAN_TRY(auto found, matching(source, spec, name));
        for (auto& one : found) {
            if (!chosen || less_preferred(*chosen, one)) chosen = std::move(one);
        }
    }
    if (!chosen) return std::optional<PackageRecord>();
    return std::optional(std::move(chosen->candidate.record));
}

/// Walks from a package to what it needs.
class Needs {
public:
    explicit Needs(CandidateSource& source) : source_(source) {}

    Result<PackageGraph> run(const MatchSpec& spec, bool recursive) {
        TAIPAN_TRY(auto root, best(source_, spec));
        if (!root) return std::move(graph_);
        by_name_.emplace(root->name, 0);
        graph_.nodes.push_back({std::move(*root), {}, {}});
        graph_.roots = 1;
        for (std::size_t at = 0; at < (recursive ? graph_.nodes.size() : 1); ++at) {
            const std::vector<std::string> depends = graph_.nodes[at].record.depends;
            for (const auto& dependency : depends) TAIPAN_CHECK(follow(at, dependency));
        }
        return std::move(graph_);
    }

private:
    Result<void> follow(std::size_t from, const std::string& dependency) {
        const std::string name = dependency_name(dependency);
        auto known = by_name_.find(name);
        if (known == by_name_.end()) {
            PackageGraph::Node node;
            node.spec = dependency;
            if (const auto spec = MatchSpec::parse(dependency)) {
                TAIPAN_TRY(auto found, best(source_, *spec));
                if (found) node.record = std::move(*found);
            }
            known = by_name_.emplace(name, graph_.nodes.size()).first;
            graph_.nodes.push_back(std::move(node));
        }
        auto& nearby = graph_.nodes[from].nearby;
        if (std::find(nearby.begin(), nearby.end(), known->second) == nearby.end()) nearby.push_back(known->second);
        return {};
    }

    CandidateSource& source_;
    PackageGraph graph_;
    std::map<std::string, std::size_t> by_name_;
};

/// Turns the index around, name by name, then walks from a package to those that need it.
class Needers {
public:
    explicit Needers(CandidateSource& source) : source_(source) {}

    Result<PackageGraph> run(const MatchSpec& spec, bool recursive) {
        TAIPAN_CHECK(turn_around());
        TAIPAN_CHECK(find_roots(spec));
        whole_name_ = spec.is_name_only();
        graph_.roots = graph_.nodes.size();
        for (std::size_t root = 0; root < graph_.roots; ++root) by_name_.emplace(graph_.nodes[root].record.name, root);
        if (!recursive) {
            TAIPAN_CHECK(add_direct());
            return std::move(graph_);
        }
        for (std::size_t at = 0; at < graph_.nodes.size(); ++at) TAIPAN_CHECK(follow(at));
        return std::move(graph_);
    }

private:
    /// For each name the names of which some package mentions it. Only names are kept: there may be a million packages.
    Result<void> turn_around() {
        for (const auto& name : source_.all_names()) {
            TAIPAN_TRY(auto needed, source_.needed_names(name));
            std::sort(needed.begin(), needed.end());
            needed.erase(std::unique(needed.begin(), needed.end()), needed.end());
            for (const auto& other : needed) needers_[other].push_back(name);
        }
        return {};
    }

    /// Every package that matches; or one that only its name is known of.
    Result<void> find_roots(const MatchSpec& spec) {
        TAIPAN_TRY(auto roots, find_packages(source_, spec));
        for (auto& root : roots) graph_.nodes.push_back({std::move(root), {}, {}});
        if (!graph_.nodes.empty() || !spec.is_name_only() || !needers_.contains(spec.name())) return {};
        PackageRecord unknown;
        unknown.name = spec.name();
        graph_.nodes.push_back({std::move(unknown), {}, {}});
        return {};
    }

    /// Every package that needs a root, by name and from the most preferred on.
    Result<void> add_direct() {
        std::map<std::string, std::set<std::string>> wanted; // who may need -> names of roots
        for (std::size_t root = 0; root < graph_.roots; ++root)
            for (const auto& name : needers_[graph_.nodes[root].record.name])
                wanted[name].insert(graph_.nodes[root].record.name);
        for (const auto& [name, roots] : wanted) {
            TAIPAN_TRY(auto packages, by_preference(name));
            for (auto& package : packages) add_if_needing(std::move(package.candidate.record), roots);
        }
        return {};
    }

    void add_if_needing(PackageRecord record, const std::set<std::string>& root_names) {
        for (const auto& dependency : record.depends) {
            if (!root_names.contains(dependency_name(dependency))) continue;
            bool needs = false;
            for (std::size_t root = 0; root < graph_.roots; ++root) {
                const PackageRecord& needed = graph_.nodes[root].record;
                if (needed.name != dependency_name(dependency)) continue;
                if (!whole_name_ && !fulfils(needed, dependency)) continue;
                graph_.nodes[root].nearby.push_back(graph_.nodes.size());
                needs = true;
            }
            if (!needs) continue;
            std::string spec = dependency;
            graph_.nodes.push_back({std::move(record), std::move(spec), {}});
            return;
        }
    }

    Result<std::vector<Ranked>> by_preference(const std::string& name) {
        TAIPAN_TRY(const MatchSpec any, MatchSpec::parse(name));
        TAIPAN_TRY(auto packages, matching(source_, any, name));
        std::stable_sort(packages.begin(), packages.end(),
                         [](const Ranked& a, const Ranked& b) { return less_preferred(b, a); });
        return packages;
    }

    Result<void> follow(std::size_t at) {
        const PackageRecord needed = graph_.nodes[at].record;
        const auto needers = needers_.find(needed.name);
        if (needers == needers_.end()) return {};
        for (const auto& name : needers->second) {
            TAIPAN_TRY(auto node, best_needer(name, needed));
            if (!node) continue;
            const auto [place, added] = by_name_.emplace(name, graph_.nodes.size());
            if (added) graph_.nodes.push_back(std::move(*node));
            auto& nearby = graph_.nodes[at].nearby;
            if (std::find(nearby.begin(), nearby.end(), place->second) == nearby.end()) nearby.push_back(place->second);
        }
        return {};
    }

    /// The most preferred package of this name that needs `needed`.
    Result<std::optional<PackageGraph::Node>> best_needer(const std::string& name, const PackageRecord& needed) {
        TAIPAN_TRY(auto packages, by_preference(name));
        for (auto& package : packages) {
            PackageRecord& record = package.candidate.record;
            for (const auto& dependency : record.depends) {
                if (dependency_name(dependency) != needed.name || !fulfils(needed, dependency)) continue;
                std::string spec = dependency;
                return std::optional(PackageGraph::Node{std::move(record), std::move(spec), {}});
            }
        }
        return std::optional<PackageGraph::Node>();
    }

    static bool fulfils(const PackageRecord& needed, const std::string& dependency) {
        if (needed.version.empty()) return true; // only the name is known
        const auto spec = MatchSpec::parse(dependency);
        return spec && spec->matches(needed);
    }

    CandidateSource& source_;
    PackageGraph graph_;
    bool whole_name_ = false; ///< asked for no version: whatever version is needed
    std::map<std::string, std::vector<std::string>> needers_;
    std::map<std::string, std::size_t> by_name_;
};

} // namespace

Result<std::vector<PackageRecord>> find_packages(CandidateSource& source, const MatchSpec& spec) {
    std::vector<PackageRecord> records;
    TAIPAN_TRY(const auto names, names_of(source, spec));
    for (const auto& name : names) {
        TAIPAN_TRY(auto found, matching(source, spec, name));
        std::stable_sort(found.begin(), found.end(), listed_before);
        for (auto& one : found) records.push_back(std::move(one.candidate.record));
    }
    return records;
}

Result<PackageGraph> needed_packages(CandidateSource& source, const MatchSpec& spec, bool recursive) {
    return Needs(source).run(spec, recursive);
}

Result<PackageGraph> needing_packages(CandidateSource& source, const MatchSpec& spec, bool recursive) {
    return Needers(source).run(spec, recursive);
}

} // namespace taipan
