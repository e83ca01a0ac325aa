// Taking packages out needs no solver: nothing new is chosen.
//
// The named packages go, then everything whose dependencies cannot be fulfilled by what is left, then those
// dependencies of the removed packages that nothing else needs; what was requested by the user, is pinned, always
// updated or protected stays.
#include "solve/remove.hpp"

#include <algorithm>
#include <map>
#include <optional>

#include "base/json_writer.hpp"
#include "model/dependency_name.hpp"

namespace taipan::solve_detail {
namespace {

/// Who needs whom among installed packages, by index.
class InstalledGraph {
public:
    explicit InstalledGraph(const std::vector<PackageRecord>& records) : records_(records), needs_(records.size()) {
        std::map<std::string_view, std::size_t> index;
        for (std::size_t i = 0; i < records.size(); ++i) index.emplace(records[i].name, i);
        for (std::size_t i = 0; i < records.size(); ++i) {
            for (const auto& text : records[i].depends) {
                const auto found = index.find(dependency_name(text));
                if (found != index.end() && found->second != i) needs_[i].push_back(found->second);
            }
        }
    }

    /// Adds everything that needs a member.
    void add_dependents(std::vector<bool>& members) const {
        for (bool grown = true; grown;) {
            grown = false;
            for (std::size_t i = 0; i < needs_.size(); ++i) {
                if (members[i]) continue;
                members[i] = std::any_of(needs_[i].begin(), needs_[i].end(), [&](std::size_t j) { return members[j]; });
                grown = grown || members[i];
            }
        }
    }

    /// Adds everything that a member needs.
    void add_dependencies(std::vector<bool>& members) const {
        std::vector<std::size_t> pending;
        for (std::size_t i = 0; i < members.size(); ++i)
            if (members[i]) pending.push_back(i);
        while (!pending.empty()) {
            const std::size_t at = pending.back();
            pending.pop_back();
            for (const std::size_t other : needs_[at]) {
                if (members[other]) continue;
                members[other] = true;
                pending.push_back(other);
            }
        }
    }

private:
    const std::vector<PackageRecord>& records_;
    std::vector<std::vector<std::size_t>> needs_;
};

std::vector<PackageRecord> keep_unmarked(const std::vector<PackageRecord>& records, const std::vector<bool>& marked) {
    std::vector<PackageRecord> kept;
    for (std::size_t i = 0; i < records.size(); ++i)
        if (!marked[i]) kept.push_back(records[i]);
    return kept;
}

std::set<std::string> user_roots(const SolveRequest& request) {
    std::set<std::string> roots = protected_names();
    for (const auto& [name, spec] : request.history) roots.insert(name);
    for (const auto& spec : request.pins) roots.insert(spec.name());
    roots.insert(request.always_update.begin(), request.always_update.end());
    return roots;
}

Error not_in_prefix(const std::vector<std::string>& specs) {
    std::string text = "The following packages are missing from the target environment:";
    for (const auto& spec : specs) text += "\n  - " + spec;
    Error error = make_error(ErrorCode::package_not_found, std::move(text));
    error.details = JsonWriter().begin_object().member("not_in_prefix", specs).end_object().take();
    return error;
}

} // namespace

const std::set<std::string>& protected_names() {
    static const std::set<std::string> names = {
        "anaconda", "conda", "conda-build", "python.app", "console_shortcut", "powershell_shortcut"};
    return names;
}

Result<std::vector<PackageRecord>> without_removed(const SolveRequest& request) {
    const auto& installed = request.installed;
    std::vector<bool> removed(installed.size(), false);
    std::vector<std::string> missing;
    for (const auto& spec : request.remove) {
        bool found = false;
        for (std::size_t i = 0; i < installed.size(); ++i) {
            if (!spec.matches(installed[i])) continue;
            removed[i] = found = true;
        }
        if (!found) missing.push_back(spec.to_string());
    }
    if (!missing.empty()) return not_in_prefix(missing);
    if (request.force_remove) return keep_unmarked(installed, removed);

    const InstalledGraph graph(installed);
    graph.add_dependents(removed);
    std::vector<bool> needed_by_removed = removed;
    graph.add_dependencies(needed_by_removed);
    const auto roots = user_roots(request);
    std::vector<bool> kept(installed.size(), false);
    for (std::size_t i = 0; i < installed.size(); ++i)
        kept[i] = !removed[i] && (!needed_by_removed[i] || roots.contains(installed[i].name));
    graph.add_dependencies(kept);
    for (std::size_t i = 0; i < installed.size(); ++i) removed[i] = removed[i] || !kept[i];
    return keep_unmarked(installed, removed);
}

std::vector<PackageRecord> reachable_from(std::vector<PackageRecord> records, const std::set<std::string>& roots) {
    const InstalledGraph graph(records);
    std::vector<bool> kept(records.size(), false);
    for (std::size_t i = 0; i < records.size(); ++i) kept[i] = roots.contains(records[i].name);
    graph.add_dependencies(kept);
    kept.flip();
    return keep_unmarked(records, kept);
}

} // namespace taipan::solve_detail
