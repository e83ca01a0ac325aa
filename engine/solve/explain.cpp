// Why a request cannot be fulfilled, for people.
//
// libsolv names the rules that contradict each other: which job wants what, which package needs what, which two exclude
// each other. From these a tree is built, starting at what was asked for: below a wish the packages that could fulfil
// it, those with the same fate as one line; below a package what it needs that cannot be had, down to where it ends: a
// version that does not exist, something a pin or the machine forbids, or two packages that exclude each other.
#include "solve/explain.hpp"

#include <algorithm>
#include <map>
#include <set>

namespace taipan::solve_detail {
namespace {

constexpr std::size_t shown_versions = 5;
constexpr std::size_t shown_children = 8;
constexpr int deepest = 7;

struct Node {
    std::string text;
    std::vector<Node> children;
};

void render(const std::vector<Node>& nodes, const std::string& indent, std::string& out) {
    for (std::size_t i = 0; i < nodes.size(); ++i) {
        const bool last = i + 1 == nodes.size();
        out += '\n' + indent + (last ? "└─ " : "├─ ") + nodes[i].text;
        render(nodes[i].children, indent + (last ? "   " : "│  "), out);
    }
}

std::string join(const std::vector<std::string>& parts, std::string_view separator) {
    std::string text;
    for (const auto& part : parts) {
        if (!text.empty()) text += separator;
        text += part;
    }
    return text;
}

class Explainer {
public:
    Explainer(Catalog& catalog, const AttemptPlan& plan, const Reach& reach)
        : catalog_(catalog), plan_(plan), reach_(reach) {}

    std::vector<Node> roots(const Answer& answer);
    /// "1.0, 1.2, 2.0 (and 7 older)", newest last.
    [[nodiscard]] std::string versions(std::vector<EntryId> entries) const;
    /// Why nothing that may be chosen fulfils a dependency.
    [[nodiscard]] std::string why_none(DependencyId id);

private:
    /// What happens to one package, in the order it was found.
    struct Fate {
        std::vector<DependencyId> missing; ///< needs these, and nothing fulfils them
        std::vector<DependencyId> needs;   ///< needs these, and all that fulfil them fail
        std::set<std::pair<DependencyId, EntryId>> excludes;
        std::set<NameId> rivals; ///< another version of this name is needed elsewhere
        auto operator<=>(const Fate&) const = default;
    };

    void collect(const Answer& answer);
    Node dependency_node(std::string text, DependencyId id, int depth);
    std::vector<Node> fate_nodes(const Fate& fate, int depth);
    [[nodiscard]] std::string job_text(const Job& job) const;
    [[nodiscard]] std::string package(EntryId id) const;
    [[nodiscard]] std::string blocked_text(Block block, const std::vector<EntryId>& entries) const;

    Catalog& catalog_;
    const AttemptPlan& plan_;
    const Reach& reach_;
    std::vector<std::size_t> jobs_;
    std::map<EntryId, Fate> fates_;
    std::set<DependencyId> on_path_, expanded_;
};

std::string Explainer::package(EntryId id) const {
    const auto& record = catalog_.entry(id).record;
    return record.name + ' ' + record.version + ' ' + record.build;
}

std::string Explainer::versions(std::vector<EntryId> entries) const {
    std::sort(entries.begin(), entries.end(),
              [&](EntryId a, EntryId b) { return catalog_.entry(a).version < catalog_.entry(b).version; });
    std::vector<std::string> texts;
    for (const EntryId id : entries) {
        const auto& version = catalog_.entry(id).record.version;
        if (texts.empty() || texts.back() != version) texts.push_back(version);
    }
    const std::size_t hidden = texts.size() > shown_versions ? texts.size() - shown_versions : 0;
    texts.erase(texts.begin(), texts.begin() + static_cast<std::ptrdiff_t>(hidden));
    return join(texts, ", ") + (hidden != 0 ? " and " + std::to_string(hidden) + " older" : "");
}

std::string Explainer::blocked_text(Block block, const std::vector<EntryId>& entries) const {
    const Entry& first = catalog_.entry(entries.front());
    const std::string& name = catalog_.name(first.name).text;
    const std::string which = name + ' ' + versions(entries);
    const auto installed = catalog_.name(first.name).installed;
    const std::string present = installed ? catalog_.entry(*installed).record.version : std::string();
    switch (block) {
    case Block::impossible: {
        const auto& dependency = catalog_.dependency(*first.impossible);
        if (!dependency.spec) return which + " has a dependency that cannot be read: \"" + dependency.text + '"';
        std::vector<std::string> here;
        for (const auto& record : catalog_.request().virtual_packages)
            if (record.name == dependency.spec->name()) here.push_back(record.version + ' ' + record.build);
        return which + " needs " + dependency.text + ", and this machine has " +
               (here.empty() ? "no " + dependency.spec->name() : dependency.spec->name() + ' ' + join(here, ", "));
    }
    case Block::strict_priority:
        return which + " of " + first.record.channel_name +
               " is hidden by a channel above it (channel priority is strict)";
    case Block::pin: {
        std::vector<std::string> pins;
        const auto [begin, end] = plan_.limits.pins.equal_range(name);
        for (auto pin = begin; pin != end; ++pin) pins.push_back(pin->second.spec.to_string());
        return which + " is excluded by the pin " + join(pins, ", ");
    }
    case Block::python_minor:
        return which + " would move python from " + present + " to another minor version, which has to be asked for";
    case Block::frozen: return name + " is to stay at " + present + ", not " + versions(entries);
    case Block::downgrade: return which + " would be older than the installed " + present;
    case Block::none: break;
    }
    return which + " cannot be installed";
}

std::string Explainer::why_none(DependencyId id) {
    if (!catalog_.answer(id)) return "the channels cannot be read";
    const Dependency& dependency = catalog_.dependency(id);
    if (!dependency.spec) return "it is no valid requirement";
    std::vector<EntryId> all;
    for (const NameId name : dependency.names) {
        const auto& entries = catalog_.name(name).entries;
        all.insert(all.end(), entries.begin(), entries.end());
    }
    if (all.empty()) return "no channel has a package of that name";
    if (dependency.matches.empty()) return "no such version or build; there is " + versions(all);
    std::map<Block, std::vector<EntryId>> blocked;
    for (const EntryId entry : dependency.matches) blocked[reach_.block(entry)].push_back(entry);
    blocked.erase(Block::none);
    std::vector<std::string> texts;
    for (const auto& [block, entries] : blocked) texts.push_back(blocked_text(block, entries));
    return texts.empty() ? "nothing that fulfils it can be installed" : join(texts, "; ");
}

void Explainer::collect(const Answer& answer) {
    const auto add = [](std::vector<DependencyId>& list, DependencyId id) {
        if (std::find(list.begin(), list.end(), id) == list.end()) list.push_back(id);
    };
    std::set<std::size_t> jobs;
    for (const auto& problem : answer.problems) {
        for (const Reason& reason : problem) {
            if (reason.job) jobs.insert(*reason.job);
            if (!reason.source) continue;
            Fate& fate = fates_[*reason.source];
            switch (reason.kind) {
            case Reason::Kind::requires_: add(fate.needs, *reason.dependency); break;
            case Reason::Kind::no_provider: add(fate.missing, *reason.dependency); break;
            case Reason::Kind::constrains:
                if (reason.target) fate.excludes.emplace(*reason.dependency, *reason.target);
                break;
            case Reason::Kind::same_name:
                fate.rivals.insert(catalog_.entry(*reason.source).name);
                if (reason.target) fates_[*reason.target].rivals.insert(catalog_.entry(*reason.source).name);
                break;
            default: break;
            }
        }
    }
    jobs_.assign(jobs.begin(), jobs.end());
    for (auto& [entry, fate] : fates_) {
        std::sort(fate.needs.begin(), fate.needs.end());
        std::sort(fate.missing.begin(), fate.missing.end());
    }
}

std::vector<Node> Explainer::fate_nodes(const Fate& fate, int depth) {
    std::vector<Node> nodes;
    for (const DependencyId id : fate.missing)
        nodes.push_back({"needs " + catalog_.dependency(id).text + ": " + why_none(id), {}});
    for (const DependencyId id : fate.needs) nodes.push_back(dependency_node("needs ", id, depth + 1));
    std::set<std::string> seen;
    for (const auto& [dependency, target] : fate.excludes) {
        std::string text = "goes together only with " + catalog_.dependency(dependency).text + ", not with " +
                           catalog_.entry(target).record.name + ' ' + catalog_.entry(target).record.version;
        if (seen.insert(text).second) nodes.push_back({std::move(text), {}});
    }
    if (nodes.size() > shown_children) {
        const std::size_t hidden = nodes.size() - shown_children;
        nodes.resize(shown_children);
        nodes.push_back({"and " + std::to_string(hidden) + " more", {}});
    }
    return nodes;
}

Node Explainer::dependency_node(std::string text, DependencyId id, int depth) {
    Node node{std::move(text) + catalog_.dependency(id).text, {}};
    std::map<Fate, std::vector<EntryId>> groups;
    for (const EntryId entry : reach_.providers(id)) {
        const auto fate = fates_.find(entry);
        groups[fate == fates_.end() ? Fate{} : fate->second].push_back(entry);
    }
    if (groups.empty()) {
        node.text += ": " + why_none(id);
        return node;
    }
    if (depth >= deepest || on_path_.contains(id)) return node;
    if (!expanded_.insert(id).second) {
        node.text += " (see above)";
        return node;
    }
    on_path_.insert(id);
    for (const auto& [fate, entries] : groups) {
        const std::string& name = catalog_.entry(entries.front()).record.name;
        Node child{name + ' ' + versions(entries), fate_nodes(fate, depth + 1)};
        if (child.children.empty())
            child.text += fate.rivals.empty() ? ", which does not fit the rest"
                                              : ", but another version of " + name + " is needed as well";
        node.children.push_back(std::move(child));
    }
    on_path_.erase(id);
    if (node.children.size() > shown_children) {
        const std::size_t hidden = node.children.size() - shown_children;
        node.children.resize(shown_children);
        node.children.push_back({"and " + std::to_string(hidden) + " other groups of versions", {}});
    }
    return node;
}

std::string Explainer::job_text(const Job& job) const {
    if (job.kind != Job::Kind::install) return package(job.entry) + ", installed and to be kept";
    const auto& dependency = catalog_.dependency(job.dependency);
    const auto& request = catalog_.request();
    const auto is_this = [&](const MatchSpec& spec) { return spec.to_string() == dependency.text; };
    if (std::any_of(request.install.begin(), request.install.end(), is_this) ||
        std::any_of(request.update.begin(), request.update.end(), is_this))
        return "as requested: ";
    if (dependency.spec && request.history.contains(dependency.spec->name())) return "as requested earlier: ";
    return "as pinned: ";
}

std::vector<Node> Explainer::roots(const Answer& answer) {
    collect(answer);
    std::vector<Node> nodes;
    for (const std::size_t index : jobs_) {
        if (index >= plan_.jobs.size()) continue;
        const Job& job = plan_.jobs[index];
        if (job.kind == Job::Kind::install) {
            nodes.push_back(dependency_node(job_text(job), job.dependency, 0));
        } else {
            const auto fate = fates_.find(job.entry);
            nodes.push_back({job_text(job), fate == fates_.end() ? std::vector<Node>{} : fate_nodes(fate->second, 0)});
        }
    }
    return nodes;
}

} // namespace

Error explain(Catalog& catalog, const AttemptPlan& plan, const Reach& reach, const Answer& answer) {
    Explainer explainer(catalog, plan, reach);
    std::string text = "The request cannot be fulfilled: no set of packages satisfies all of this";
    render(explainer.roots(answer), "", text);
    return make_error(ErrorCode::unsatisfiable, std::move(text));
}

Result<void> check_requested_exist(Catalog& catalog) {
    const auto& request = catalog.request();
    std::string missing;
    std::vector<std::string> all_names;
    const AttemptPlan no_plan;
    const Reach no_reach(catalog, no_plan.limits);
    Explainer explainer(catalog, no_plan, no_reach);
    for (const auto* specs : {&request.install, &request.update}) {
        for (const auto& spec : *specs) {
            const DependencyId id = catalog.dependency(spec);
            TAIPAN_CHECK(catalog.answer(id));
            if (!catalog.dependency(id).matches.empty()) continue;
            missing += "\n  - " + spec.to_string();
            std::vector<EntryId> entries;
            for (const NameId name : catalog.dependency(id).names) {
                const auto& of_name = catalog.name(name).entries;
                entries.insert(entries.end(), of_name.begin(), of_name.end());
            }
            if (!entries.empty()) {
                missing += " (there is " + explainer.versions(entries) + ")";
                continue;
            }
            if (all_names.empty()) all_names = catalog.source().all_names();
            const auto similar = similar_names(spec.name(), all_names);
            if (!similar.empty()) missing += " (did you mean " + join(similar, ", ") + "?)";
        }
    }
    if (missing.empty()) return {};
    const auto channels = catalog.source().searched_channels();
    return make_error(ErrorCode::package_not_found,
                      "The following packages are not available from the channels:" + missing +
                          "\nChannels searched: " + (channels.empty() ? "none" : join(channels, ", ")));
}

} // namespace taipan::solve_detail
