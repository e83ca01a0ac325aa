// A solve, from the request to the plan.
//
// Problem: find the packages conda would choose (conda-spec 11.1), quickly, and change no more of an environment than
// asked. Approach: each attempt turns the request into jobs (jobs.cpp), collects what the jobs can reach (attempt.cpp),
// ranks it (ranking.cpp) and lets libsolv decide (pool.cpp). The first attempt of an install holds every other
// installed package; whatever is found to be in the way is let go, and in the last attempt everything is. Removal needs
// no solver (remove.cpp). What must hold: the same request over the same channels gives the same answer, on every
// machine.
#include "solve/solve.hpp"

#include <algorithm>
#include <set>
#include <utility>

#include "base/json_writer.hpp"
#include "solve/attempt.hpp"
#include "solve/catalog.hpp"
#include "solve/explain.hpp"
#include "solve/jobs.hpp"
#include "solve/pool.hpp"
#include "solve/ranking.hpp"
#include "solve/remove.hpp"
#include "solve/topological.hpp"

namespace taipan {
namespace {

using namespace solve_detail;

/// After so many attempts with a growing list of packages that may move, all may.
constexpr int patient_attempts = 8;

/// A package that is there afterwards.
struct Chosen {
    PackageRecord record;
    bool installed = false;
    std::optional<PackageRecord> channel_record; ///< of an installed one: as the channel has it
};
using ChosenSet = std::vector<Chosen>;

/// Installed packages that stand in the way, by the reasons libsolv gives.
std::set<std::string> names_in_the_way(const Catalog& catalog, const Answer& answer) {
    std::set<std::string> names;
    const auto add = [&](NameId name) {
        if (catalog.name(name).installed) names.insert(catalog.name(name).text);
    };
    for (const auto& problem : answer.problems) {
        for (const Reason& reason : problem) {
            if (reason.source) add(catalog.entry(*reason.source).name);
            if (reason.target) add(catalog.entry(*reason.target).name);
            if (reason.dependency)
                for (const NameId name : catalog.dependency(*reason.dependency).names) add(name);
        }
    }
    return names;
}

ChosenSet chosen_of(const Catalog& catalog, const Answer& answer) {
    ChosenSet chosen;
    for (const EntryId id : answer.chosen) {
        const Entry& entry = catalog.entry(id);
        if (!entry.is_virtual) chosen.push_back({entry.record, entry.installed, entry.channel_record});
    }
    return chosen;
}

bool is_requested(const SolveRequest& request, const PackageRecord& record) {
    const auto asks = [&](const MatchSpec& spec) { return spec.matches_name(record.name); };
    return std::any_of(request.install.begin(), request.install.end(), asks) ||
           std::any_of(request.update.begin(), request.update.end(), asks);
}

/// False when something would vanish that is or was requested; the next attempt is to insist on it.
bool all_requested_stay(const SolveRequest& request, const ChosenSet& chosen, Freedom& freedom) {
    std::set<std::string> names;
    for (const auto& package : chosen) names.insert(package.record.name);
    const std::size_t before = freedom.insist.size();
    for (const auto& record : request.installed)
        if (!names.contains(record.name) && (request.history.contains(record.name) || is_requested(request, record)))
            freedom.insist.insert(record.name);
    return freedom.insist.size() == before;
}

Result<ChosenSet> choose(Catalog& catalog, Freedom freedom = {}) {
    for (int attempt = 1;; ++attempt) {
        TAIPAN_TRY(const AttemptPlan plan, plan_attempt(catalog, freedom));
        Reach reach(catalog, plan.limits);
        TAIPAN_CHECK(reach.follow(plan.jobs));
        if (attempt == 1) TAIPAN_CHECK(check_requested_exist(catalog));
        TAIPAN_TRY(const auto ranks, rank_entries(catalog, reach));
        TAIPAN_TRY(const Answer answer, run_libsolv(catalog, reach, ranks, plan.jobs));
        if (answer.solved) {
            ChosenSet chosen = chosen_of(catalog, answer);
            if (all_requested_stay(catalog.request(), chosen, freedom)) return chosen;
            continue;
        }
        const auto& request = catalog.request();
        if (freedom.all || request.freeze_installed || request.installed.empty())
            return explain(catalog, plan, reach, answer);
        const std::size_t known = freedom.names.size();
        freedom.names.merge(names_in_the_way(catalog, answer));
        freedom.all = freedom.names.size() == known || attempt == patient_attempts;
    }
}

const PackageRecord* find_record(const std::vector<PackageRecord>& records, const std::string& name) {
    const auto found =
        std::find_if(records.begin(), records.end(), [&](const PackageRecord& record) { return record.name == name; });
    return found == records.end() ? nullptr : &*found;
}

/// With no_deps: what was installed, and the requested packages as chosen.
ChosenSet only_requested(const SolveRequest& request, ChosenSet chosen) {
    ChosenSet result;
    for (auto& package : chosen)
        if (is_requested(request, package.record)) result.push_back(std::move(package));
    for (const auto& record : request.installed)
        if (!is_requested(request, record)) result.push_back({record, true, std::nullopt});
    return result;
}

/// With only_deps: without the requested packages that nothing else needs (or as they were installed). Their
/// dependencies are what the history remembers.
ChosenSet without_requested(const SolveRequest& request, ChosenSet chosen, std::vector<MatchSpec>& recorded) {
    std::set<std::string> needed;
    for (const auto& package : chosen) {
        if (package.record.name == "python" && request.add_pip_to_python) needed.insert("pip");
        for (const auto& text : package.record.depends)
            if (const auto spec = MatchSpec::parse(text); spec && spec->name() != package.record.name)
                needed.insert(spec->name());
    }
    ChosenSet result;
    std::set<std::string> remembered;
    for (auto& package : chosen) {
        if (!is_requested(request, package.record) || needed.contains(package.record.name)) {
            result.push_back(std::move(package));
            continue;
        }
        for (const auto& text : package.record.depends) {
            auto spec = MatchSpec::parse(text);
            if (spec && !spec->name().starts_with("__") && remembered.insert(spec->name()).second)
                recorded.push_back(std::move(*spec));
        }
        if (const PackageRecord* before = find_record(request.installed, package.record.name))
            result.push_back({*before, true, std::nullopt});
    }
    return result;
}

ChosenSet prune(const SolveRequest& request, ChosenSet chosen) {
    std::set<std::string> roots = protected_names();
    for (const auto& [name, spec] : request.history) roots.insert(name);
    std::vector<PackageRecord> records;
    for (const auto& package : chosen) {
        records.push_back(package.record);
        if (is_requested(request, package.record)) roots.insert(package.record.name);
    }
    std::set<std::string> kept;
    for (const auto& record : reachable_from(std::move(records), roots)) kept.insert(record.name);
    std::erase_if(chosen, [&](const Chosen& package) { return !kept.contains(package.record.name); });
    return chosen;
}

/// The minor version of a python, which bytecode is made for, and where it looks for packages.
std::pair<std::string, std::string> place_of_modules(const PackageRecord& python) {
    const auto version = Version::parse(python.version);
    const auto minor = version ? version->major_minor() : std::string();
    const auto& told = python.python_site_packages_path;
    return {minor, told.empty() ? "lib/python" + minor + "/site-packages" : told};
}

/// Compares what was and what will be.
Solution make_solution(const SolveRequest& request, ChosenSet chosen) {
    Solution solution;
    std::vector<PackageRecord> final_state;
    const PackageRecord* const python_before = find_record(request.installed, "python");
    const auto python_after = std::find_if(chosen.begin(), chosen.end(),
                                           [](const Chosen& package) { return package.record.name == "python"; });
    const bool python_moves = python_before != nullptr && python_after != chosen.end() &&
                              place_of_modules(*python_before) != place_of_modules(python_after->record);
    std::set<std::string> linked, staying;
    for (auto& package : chosen) {
        const bool relink = python_moves && package.installed && package.record.noarch == Noarch::python;
        const bool reinstall = request.force_reinstall && package.installed && is_requested(request, package.record);
        if (relink) solution.relinked_noarch.push_back(package.record.name);
        if ((relink || reinstall) && package.channel_record) package.record = std::move(*package.channel_record);
        (package.installed && !relink && !reinstall ? staying : linked).insert(package.record.name);
        final_state.push_back(std::move(package.record));
    }
    // The orders are those of the whole environment, before and after.
    solution.final_state = topological_sort(std::move(final_state));
    for (const auto& record : solution.final_state)
        if (linked.contains(record.name)) solution.link.push_back(record);
    for (const std::size_t i : topological_order(request.installed))
        if (!staying.contains(request.installed[i].name)) solution.unlink.push_back(request.installed[i]);
    std::reverse(solution.unlink.begin(), solution.unlink.end());
    std::sort(solution.relinked_noarch.begin(), solution.relinked_noarch.end());
    return solution;
}

void note_neutered(const SolveRequest& request, Solution& solution) {
    for (const auto& [name, spec] : request.history) {
        const PackageRecord* const record = find_record(solution.final_state, name);
        if (record == nullptr || is_requested(request, *record) || spec.matches(*record)) continue;
        solution.neutered.push_back({spec, name + "==" + record->version});
    }
}

/// update_deps: only an answer tells what the requested packages need, so there are two rounds.
Result<ChosenSet> choose_with_newer_dependencies(Catalog& catalog, const ChosenSet& first) {
    const auto& request = catalog.request();
    std::vector<PackageRecord> records;
    std::set<std::string> roots;
    for (const auto& package : first) {
        records.push_back(package.record);
        if (is_requested(request, package.record)) roots.insert(package.record.name);
    }
    Freedom freedom;
    for (const auto& record : reachable_from(std::move(records), roots))
        if (!roots.contains(record.name)) freedom.update.insert(record.name);
    return choose(catalog, std::move(freedom));
}

bool is_satisfied(const SolveRequest& request) {
    const auto is_there = [&](const MatchSpec& spec) {
        return std::any_of(request.installed.begin(), request.installed.end(),
                           [&](const PackageRecord& record) { return spec.matches(record); });
    };
    return std::all_of(request.install.begin(), request.install.end(), is_there) &&
           std::all_of(request.update.begin(), request.update.end(), is_there);
}

Result<void> check_updated_are_installed(const SolveRequest& request) {
    std::string missing;
    JsonWriter facts;
    facts.begin_object().key("not_installed").begin_array();
    for (const auto& spec : request.update) {
        const bool found = std::any_of(request.installed.begin(), request.installed.end(),
                                       [&](const PackageRecord& record) { return spec.matches_name(record.name); });
        if (found) continue;
        missing += "\n  - " + spec.to_string();
        facts.value(spec.to_string());
    }
    if (missing.empty()) return {};
    Error error = make_error(ErrorCode::package_not_found,
                             "The following packages are not installed, so they cannot be updated:" + missing +
                                 "\nTo add a package to the environment, use install.");
    error.details = facts.end_array().end_object().take();
    return error;
}

ChosenSet as_installed(const std::vector<PackageRecord>& records) {
    ChosenSet chosen;
    for (const auto& record : records) chosen.push_back({record, true, std::nullopt});
    return chosen;
}

Result<Solution> solve_removal(const SolveRequest& request) {
    TAIPAN_TRY(const auto kept, without_removed(request));
    return make_solution(request, as_installed(kept));
}

} // namespace

Result<Solution> solve(const SolveRequest& request, CandidateSource& source) {
    if (request.install.empty() && request.update.empty() && !request.update_all) return solve_removal(request);
    TAIPAN_CHECK(check_updated_are_installed(request));
    if (request.skip_if_satisfied && !request.update_all && is_satisfied(request))
        return make_solution(request, as_installed(request.installed));
    TAIPAN_TRY(auto catalog, Catalog::create(request, source));
    TAIPAN_TRY(ChosenSet chosen, choose(catalog));
    if (request.update_deps) {
        if (auto newer = choose_with_newer_dependencies(catalog, chosen))
            chosen = std::move(*newer);
        else if (newer.error().code != ErrorCode::unsatisfiable)
            return std::move(newer).error();
    }
    std::vector<MatchSpec> recorded;
    if (request.no_deps) {
        chosen = only_requested(request, std::move(chosen));
    } else if (request.only_deps) {
        chosen = without_requested(request, std::move(chosen), recorded);
    }
    if (request.prune) chosen = prune(request, std::move(chosen));
    Solution solution = make_solution(request, std::move(chosen));
    note_neutered(request, solution);
    if (!request.only_deps) {
        recorded = request.install;
        recorded.insert(recorded.end(), request.update.begin(), request.update.end());
    }
    solution.recorded_specs = std::move(recorded);
    return solution;
}

} // namespace taipan
