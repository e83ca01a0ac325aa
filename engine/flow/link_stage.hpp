#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "base/result.hpp"
#include "flow/compile_stage.hpp"
#include "flow/install.hpp"
#include "flow/interpreter_watch.hpp"
#include "flow/materialise.hpp"
#include "flow/package_supply.hpp"
#include "link/link_scripts.hpp"
#include "link/place_file.hpp"
#include "link/plan.hpp"
#include "prefix/transaction.hpp"

namespace taipan {

/// Links the packages of one run into one prefix, and does what comes after linking. Errors leave the undoing to the
/// transaction.
class LinkStage {
public:
    LinkStage(Session& session, const Plan& plan, Transaction& transaction, const PackageSupply& supply,
              InstallReport& report);

    /// Whether each package may be linked as soon as it is planned. Otherwise all are planned first, which tells of
    /// their conflicts before anything is touched: in an existing prefix, and where conflicts are forbidden.
    [[nodiscard]] bool links_as_they_come() const;

    /// Must come first: finds out which python the noarch packages are for, and when it will be there.
    Result<void> prepare();
    /// The complete record of a python of which the plan knows the URL only. Before any noarch Python package is
    /// planned. Thread-safe.
    Result<void> know_python(const PackageRecord& python);
    /// Plans one package, without touching the prefix. Thread-safe.
    Result<void> plan_package(CachedPackage package);
    /// Carries out the plan of the package at this index. Thread-safe.
    Result<void> link_package(std::size_t index);
    /// All planned packages, in parallel.
    Result<void> link_all();
    /// When all packages are planned: those whose dependencies were not known before take their place in the order.
    void order_by_dependencies();
    /// When all are linked: where two packages want one path, the later in dependency order gets it.
    Result<void> settle_conflicts();
    /// post-link scripts, one after the other, in dependency order.
    Result<void> run_post_link_scripts();
    /// What is left to compile.
    Result<void> compile();
    Result<void> write_records();

    /// For an existing prefix, when all packages are planned and before anything is touched: finds the paths that
    /// several packages want or that are there already, and fails if `path_conflict` forbids that. `leaving` are the
    /// files of the packages that will be unlinked.
    Result<void> check_conflicts(const std::set<std::string>& leaving);
    /// The same, when these are gone: tells the transaction what will be created, and clears the way for it.
    Result<void> announce();

private:
    /// A package cache, as seen from this prefix.
    struct Cache {
        std::string directory;
        std::string package; ///< the directory of one in it
        UniqueFd fd;
        LinkChoice choice;
        bool layered = false; ///< packages may lie in different layers: the choice is for this one only
    };
    struct Linked {
        std::size_t slot = 0; ///< index in the plan's `link`
        PackageRecord record;
        std::string directory;
        bool contained = false;
        const Cache* cache = nullptr; ///< null for one in no cache
        UniqueFd fd;                  ///< of the directory, while it is open
        /// The directory, if it is in no cache: until the package is linked, or longer if something was in the way.
        std::optional<StagedDirectory> tree;
        bool moved = false; ///< files of the tree have been moved into the prefix
        LinkPlan plan;
        PlacedFiles placed;
        std::string requested_spec;
        std::set<std::string> only_paths; ///< of a partial one
        bool planned = false;
        bool pre_link = false, post_link = false; ///< whether it has such a script
        bool recorded = false;                    ///< its record is written; its plan is gone unless made again
        bool partial = false;                     ///< an installed package of which single files come back
        bool postponed = false;                   ///< where it wants a directory there was a file
    };
    [[nodiscard]] PlaceContext context(const Linked& package) const;
    Result<const Cache*> cache_of(const std::string& package_directory);
    void tell_link_mode(const Cache& cache);
    /// `place`, with a handle that names of the package can start from.
    static Result<void> enter(Linked& package, PlaceContext& place);
    Result<void> place(Linked& package);
    Result<LinkType> link_type_of(Linked& package);
    Result<void> hand_to_compiler(const Linked& package);
    Result<void> make_plan(Linked& package, const PackageInfoTexts& info);
    [[nodiscard]] bool can_be_recorded(const Linked& package) const;
    Result<void> write_record(Linked& package);
    Result<void> run_script(LinkScript script, const Linked& package);
    void add_message(std::string message);

    // in link_conflicts.cpp
    [[nodiscard]] bool may_conflict() const;
    Result<void> plan_again();
    static const std::string& target_of(const Linked& package, std::uint32_t action);
    Result<void> report_conflicts(const std::vector<std::string>& texts);
    void leave_to_new_packages();
    [[nodiscard]] std::map<std::string, std::string>
    planned_links(const std::unordered_set<std::string_view>& directories) const;
    [[nodiscard]] std::vector<std::string> conflicts_among_plans() const;
    [[nodiscard]] std::string existing_conflict(const std::string& path, const Linked& package) const;
    [[nodiscard]] std::vector<std::string> missing_directories() const;
    [[nodiscard]] std::vector<std::string> mixed_paths() const;
    Result<void> clear(const std::string& path);
    Result<void> place_again(Linked& package, const std::vector<std::uint32_t>& actions, OnExisting existing);
    Result<void> make_directories_again(const Linked& package, const std::string& root);
    Result<bool> link_through(const std::string& root);
    [[nodiscard]] static bool has_sources(const Linked& package, const std::vector<std::uint32_t>& actions);
    Result<void> bring_again(const std::set<std::size_t>& indexes);
    Result<void> bring_for_replay(const std::vector<std::string>& roots);
    Result<void> replay(const std::string& root);
    Result<void> place_rest(Linked& package, const std::vector<std::string>& roots);
    Result<void> settle_mixed_paths();
    Result<void> settle_contested_paths();

    Session& session_;
    const Plan& plan_;
    Transaction& transaction_;
    const PackageSupply& supply_;
    InstallReport& report_; ///< guarded by mutex_
    SlimRules slim_;
    std::mutex mutex_;
    std::optional<PythonInfo> python_;
    std::string python_name_;                    ///< dist name
    std::optional<InterpreterWatch> watch_;      ///< guarded by mutex_
    std::set<std::string> contested_;            ///< paths that more than one package brought
    std::vector<std::string> in_the_way_;        ///< what is there now where a package wants something else
    std::vector<std::string> replayed_;          ///< paths that were a file in one package, a directory in another
    std::map<std::string, std::string> through_; ///< symlinks that other packages' files went through, and to where
    MadeDirectories made_;
    std::deque<Linked> slots_; ///< as in the plan; each touched by one worker at a time; they stay
    std::vector<std::reference_wrapper<Linked>> packages_; ///< the same in dependency order
    std::deque<Cache> caches_;                             ///< guarded by mutex_; its elements stay
    std::optional<CompileStage> compiler_;                 ///< last: it refers to the rest
};

} // namespace taipan
