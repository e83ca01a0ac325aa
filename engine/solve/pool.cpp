// One run of libsolv.
//
// libsolv gets no version and no dependency it could interpret: a package's version is its rank among the packages of
// its name, a dependency is an opaque id whose providers we state (pool_set_whatprovides), and a constraint is a
// conflict with the packages of that name that do not match. What must hold:
//   - the order of solvables and of jobs is fixed by the records alone, since it decides which of several equally good
//     solutions libsolv finds; it follows the order in which mamba fills its pool (channels by priority, platform
//     before noarch, `.conda` before `.tar.bz2`, by file name, then what is installed, dependencies first: updates are
//     decided in that order);
//   - every provider list is sorted by solvable id.
// libsolv has a rule for each pair of packages of one name: eight million for a name with 4,000 builds. Such names are
// declared installable several times over, and kept apart by a grid: each build needs the marker of its row and that of
// its column, and only the markers of one kind exclude each other. The same follows from a choice as with the pairs.
#include "solve/pool.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <string>
#include <tuple>
#include <unordered_map>
#include <unordered_set>

#include "solve/solv_door.hpp"
#include "solve/topological.hpp"
#include "solve/variant_policy.h"

namespace taipan::solve_detail {
namespace {

class Run {
public:
    Run(const Catalog& catalog, const Reach& reach, const Ranks& ranks)
        : catalog_(catalog), reach_(reach), ranks_(ranks), pool_(pool_create()) {}

    Result<void> fill();
    Result<Answer> solve(const std::vector<Job>& jobs);

private:
    void order_entries();
    void add_solvable(EntryId id, Repo* repo);
    void add_grids(Repo* markers);
    Id add_marker(Repo* markers, const std::string& kind, std::size_t number);
    Id dependency_id(DependencyId id);
    Id conflict_id(DependencyId id);
    void set_providers();
    void tell_variants();
    void push_job(const Job& job, IdQueue& queue);
    Reason reason_of(::Solver* solver, Id rule) const;
    [[nodiscard]] std::optional<EntryId> entry_of(Id solvable) const;

    const Catalog& catalog_;
    const Reach& reach_;
    const Ranks& ranks_;
    PoolHandle pool_;
    std::vector<EntryId> order_;                        ///< in the order of solvable ids
    std::vector<Id> solvable_of_;                       ///< by entry; 0: not in the pool
    Id first_solvable_ = 0;                             ///< of order_[0]; ids follow one another
    std::unordered_map<DependencyId, Id> dependencies_; ///< of those in use
    std::unordered_map<DependencyId, Id> conflicts_;
    std::unordered_map<Id, DependencyId> meaning_;            ///< of the ids of both
    std::vector<Id> grid_names_;                              ///< kept apart by markers
    std::unordered_set<Id> markers_;                          ///< what builds need so that they exclude each other
    std::vector<std::uint32_t> variant_ranks_, variant_ties_; ///< by solvable id
    std::vector<std::int32_t> priorities_;                    ///< the same, of channels
    taipan_variants variants_{};                              ///< of these three
};

/// Up to here pairs cost less than they are worth thinking about.
constexpr std::size_t most_paired = 256;

void Run::order_entries() {
    order_ = reach_.entries();
    const auto& installed = catalog_.request().installed;
    std::unordered_map<std::string_view, std::size_t> places;
    for (const std::size_t i : topological_order(installed)) places.emplace(installed[i].name, places.size());
    const auto key = [&](EntryId id) {
        const Entry& entry = catalog_.entry(id);
        const std::size_t place = entry.installed ? places[entry.record.name] : 0;
        return std::make_tuple(entry.installed, place, -entry.channel_priority, entry.record.subdir == "noarch",
                               entry.record.fn.ends_with(".tar.bz2"), std::string_view(entry.record.fn), id);
    };
    std::sort(order_.begin(), order_.end(), [&](EntryId a, EntryId b) { return key(a) < key(b); });
}

Id Run::dependency_id(DependencyId id) {
    const auto [found, is_new] = dependencies_.try_emplace(id, 0);
    if (is_new) {
        found->second = pool_str2id(pool_.get(), ("needs " + std::to_string(id)).c_str(), 1);
        meaning_.emplace(found->second, id);
    }
    return found->second;
}

Id Run::conflict_id(DependencyId id) {
    const auto [found, is_new] = conflicts_.try_emplace(id, 0);
    if (is_new) {
        found->second = pool_str2id(pool_.get(), ("excludes " + std::to_string(id)).c_str(), 1);
        meaning_.emplace(found->second, id);
    }
    return found->second;
}

void Run::add_solvable(EntryId id, Repo* repo) {
    const Entry& entry = catalog_.entry(id);
    const Id solvable_id = repo_add_solvable(repo);
    if (first_solvable_ == 0) first_solvable_ = solvable_id;
    solvable_of_[id] = solvable_id;
    Solvable* const solvable = pool_id2solvable(pool_.get(), solvable_id);
    solvable->name = pool_str2id(pool_.get(), entry.record.name.c_str(), 1);
    solvable->evr = pool_str2id(pool_.get(), std::to_string(ranks_.ranks[id]).c_str(), 1);
    solvable->arch = ARCH_NOARCH;
    solvable->provides = repo_addid_dep(repo, solvable->provides, solvable->name, 0);
    for (const DependencyId dependency : entry.depends)
        solvable->solv_requires = repo_addid_dep(repo, solvable->solv_requires, dependency_id(dependency), 0);
    for (const DependencyId dependency : entry.constrains) {
        const auto& spec = *catalog_.dependency(dependency).spec;
        if (spec.is_name_only() || !catalog_.find_name(spec.name())) continue; // excludes nothing that was reached
        solvable->conflicts = repo_addid_dep(repo, solvable->conflicts, conflict_id(dependency), 0);
    }
}

/// A package that exists only to exclude others of its kind.
Id Run::add_marker(Repo* markers, const std::string& kind, std::size_t number) {
    const std::string text = std::to_string(number);
    Solvable* const solvable = pool_id2solvable(pool_.get(), repo_add_solvable(markers));
    solvable->name = pool_str2id(pool_.get(), kind.c_str(), 1);
    solvable->evr = pool_str2id(pool_.get(), text.c_str(), 1);
    solvable->arch = ARCH_NOARCH;
    const Id marker = pool_str2id(pool_.get(), (kind + ' ' + text).c_str(), 1);
    solvable->provides = repo_addid_dep(markers, solvable->provides, solvable->name, 0);
    solvable->provides = repo_addid_dep(markers, solvable->provides, marker, 0);
    markers_.insert(marker);
    return marker;
}

/// An installed package is replaced by way of its name's pairs, so its name keeps them.
void Run::add_grids(Repo* markers) {
    std::map<NameId, std::vector<Id>> by_name;
    for (const EntryId id : order_) by_name[catalog_.entry(id).name].push_back(solvable_of_[id]);
    for (const auto& [name, solvables] : by_name) {
        if (solvables.size() <= most_paired || catalog_.name(name).installed) continue;
        const auto side = static_cast<std::size_t>(std::ceil(std::sqrt(static_cast<double>(solvables.size()))));
        const std::string& text = catalog_.name(name).text;
        std::vector<Id> rows, columns;
        for (std::size_t i = 0; i < side; ++i) rows.push_back(add_marker(markers, "row of " + text, i));
        for (std::size_t i = 0; i < side; ++i) columns.push_back(add_marker(markers, "column of " + text, i));
        for (std::size_t i = 0; i < solvables.size(); ++i) {
            Solvable* const solvable = pool_id2solvable(pool_.get(), solvables[i]);
            for (const Id marker : {rows[i / side], columns[i % side]})
                solvable->solv_requires = repo_addid_dep(solvable->repo, solvable->solv_requires, marker, 0);
        }
        grid_names_.push_back(pool_str2id(pool_.get(), text.c_str(), 1));
    }
}

Result<void> Run::fill() {
    if (pool_setdisttype(pool_.get(), DISTTYPE_CONDA) < 0)
        return make_error(ErrorCode::internal, "libsolv was built without conda support");
    order_entries();
    solvable_of_.assign(catalog_.entry_count(), 0);
    Repo* const channels = repo_create(pool_.get(), "channels");
    Repo* const installed = repo_create(pool_.get(), "installed");
    for (const EntryId id : order_) add_solvable(id, catalog_.entry(id).installed ? installed : channels);
    add_grids(channels);
    pool_set_installed(pool_.get(), installed);
    // What jobs ask for must have its id before the provider table is made.
    for (const DependencyId id : reach_.dependencies()) dependency_id(id);
    pool_createwhatprovides(pool_.get());
    set_providers();
    tell_variants();
    return {};
}

/// Markers have no variants: each ties with itself.
void Run::tell_variants() {
    const auto count = static_cast<std::size_t>(pool_->nsolvables);
    variant_ranks_.resize(count);
    variant_ties_.resize(count);
    priorities_.resize(count);
    const bool prioritised = catalog_.request().channel_priority != ChannelPriority::disabled;
    const auto last_tie = static_cast<std::uint32_t>(order_.size());
    for (std::size_t id = 0; id < count; ++id) {
        const auto entry = entry_of(static_cast<Id>(id));
        variant_ranks_[id] = entry ? ranks_.ranks[*entry] : static_cast<std::uint32_t>(id);
        variant_ties_[id] = entry ? ranks_.ties[*entry] : last_tie + static_cast<std::uint32_t>(id) + 1;
        // What could not be installed any more counts for no channel.
        const bool counts = entry && prioritised && !catalog_.entry(*entry).left_over;
        priorities_[id] = counts ? catalog_.entry(*entry).channel_priority : 0;
    }
    variants_ = {variant_ranks_.data(), variant_ties_.data(), priorities_.data()};
    pool_->appdata = &variants_;
}

void Run::set_providers() {
    const auto set = [&](Id id, std::vector<Id>& providers) {
        std::sort(providers.begin(), providers.end());
        IdQueue queue;
        for (const Id provider : providers) queue.push(provider);
        pool_set_whatprovides(pool_.get(), id, pool_queuetowhatprovides(pool_.get(), queue.get()));
    };
    std::vector<Id> providers;
    for (const auto& [dependency, id] : dependencies_) {
        providers.clear();
        for (const EntryId entry : reach_.providers(dependency)) providers.push_back(solvable_of_[entry]);
        set(id, providers);
    }
    for (const auto& [dependency, id] : conflicts_) {
        providers.clear();
        const auto& spec = *catalog_.dependency(dependency).spec;
        for (const EntryId entry : catalog_.name(*catalog_.find_name(spec.name())).entries)
            if (reach_.reached(entry) && !catalog_.matches(spec, entry)) providers.push_back(solvable_of_[entry]);
        set(id, providers);
    }
}

void Run::push_job(const Job& job, IdQueue& queue) {
    switch (job.kind) {
    case Job::Kind::install:
        queue.push(SOLVER_INSTALL | SOLVER_SOLVABLE_PROVIDES, dependency_id(job.dependency));
        break;
    case Job::Kind::keep_entry:
        // If a pin excludes it, libsolv has to fail: nothing provides an id without providers.
        if (solvable_of_[job.entry] != 0)
            queue.push(SOLVER_INSTALL | SOLVER_SOLVABLE, solvable_of_[job.entry]);
        else
            queue.push(SOLVER_INSTALL | SOLVER_SOLVABLE_PROVIDES, pool_str2id(pool_.get(), "excluded", 1));
        break;
    case Job::Kind::update:
        if (solvable_of_[job.entry] != 0)
            queue.push(SOLVER_UPDATE | SOLVER_SOLVABLE | SOLVER_CLEANDEPS, solvable_of_[job.entry]);
        else
            queue.push(SOLVER_NOOP, 0);
        break;
    case Job::Kind::wanted:
        if (solvable_of_[job.entry] != 0)
            queue.push(SOLVER_USERINSTALLED | SOLVER_SOLVABLE, solvable_of_[job.entry]);
        else
            queue.push(SOLVER_NOOP, 0);
        break;
    case Job::Kind::allow: queue.push(SOLVER_NOOP, 0); break;
    }
}

std::optional<EntryId> Run::entry_of(Id solvable) const {
    const Id index = solvable - first_solvable_;
    if (first_solvable_ == 0 || index < 0 || static_cast<std::size_t>(index) >= order_.size()) return std::nullopt;
    return order_[static_cast<std::size_t>(index)];
}

Reason Run::reason_of(::Solver* solver, Id rule) const {
    Id from = 0, to = 0, dependency = 0;
    const SolverRuleinfo type = solver_ruleinfo(solver, rule, &from, &to, &dependency);
    Reason reason;
    if (const auto meaning = meaning_.find(dependency); meaning != meaning_.end()) reason.dependency = meaning->second;
    if (type == SOLVER_RULE_JOB || type == SOLVER_RULE_JOB_NOTHING_PROVIDES_DEP ||
        type == SOLVER_RULE_JOB_UNKNOWN_PACKAGE || type == SOLVER_RULE_JOB_UNSUPPORTED) {
        reason.kind = type == SOLVER_RULE_JOB ? Reason::Kind::job : Reason::Kind::job_no_provider;
        reason.job = static_cast<std::size_t>(from) / 2;
        return reason;
    }
    if (markers_.contains(dependency)) {
        reason.kind = Reason::Kind::same_name;
        reason.source = entry_of(from);
        return reason;
    }
    reason.source = entry_of(from);
    reason.target = entry_of(to);
    switch (type) {
    case SOLVER_RULE_PKG_REQUIRES: reason.kind = Reason::Kind::requires_; break;
    case SOLVER_RULE_PKG_NOTHING_PROVIDES_DEP: reason.kind = Reason::Kind::no_provider; break;
    case SOLVER_RULE_PKG_CONFLICTS:
    case SOLVER_RULE_PKG_CONSTRAINS: reason.kind = Reason::Kind::constrains; break;
    case SOLVER_RULE_PKG_SAME_NAME: reason.kind = Reason::Kind::same_name; break;
    case SOLVER_RULE_UPDATE:
    case SOLVER_RULE_FEATURE: reason.kind = Reason::Kind::keeps; break;
    default: break;
    }
    return reason;
}

Result<Answer> Run::solve(const std::vector<Job>& jobs) {
    IdQueue queue;
    for (const Job& job : jobs) push_job(job, queue);
    for (const Id name : grid_names_) queue.push(SOLVER_MULTIVERSION | SOLVER_SOLVABLE_NAME, name);
    const SolverHandle solver(solver_create(pool_.get()));
    if (!solver) return make_error(ErrorCode::internal, "libsolv could not create a solver");
    solver_set_flag(solver.get(), SOLVER_FLAG_ALLOW_DOWNGRADE, 1);
    solver_set_flag(solver.get(), SOLVER_FLAG_ALLOW_UNINSTALL, 1);
    Answer answer;
    const int problems = solver_solve(solver.get(), queue.get());
    if (problems == 0) {
        answer.solved = true;
        IdQueue decisions;
        solver_get_decisionqueue(solver.get(), decisions.get());
        for (const Id decision : decisions)
            if (const auto entry = decision > 0 ? entry_of(decision) : std::nullopt) answer.chosen.push_back(*entry);
        std::sort(answer.chosen.begin(), answer.chosen.end());
        return answer;
    }
    for (Id problem = 1; problem <= problems; ++problem) {
        IdQueue rules;
        solver_findallproblemrules(solver.get(), problem, rules.get());
        auto& reasons = answer.problems.emplace_back();
        for (const Id rule : rules) reasons.push_back(reason_of(solver.get(), rule));
    }
    return answer;
}

} // namespace

Result<Answer> run_libsolv(const Catalog& catalog, const Reach& reach, const Ranks& ranks,
                           const std::vector<Job>& jobs) {
    Run run(catalog, reach, ranks);
    TAIPAN_CHECK(run.fill());
    return run.solve(jobs);
}

} // namespace taipan::solve_detail
