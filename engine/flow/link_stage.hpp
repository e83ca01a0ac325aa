#pragma once

#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "flow/compile_stage.hpp"
#include "flow/install.hpp"
#include "flow/materialise.hpp"
#include "link/link_scripts.hpp"
#include "link/place_file.hpp"
#include "link/plan.hpp"
#include "prefix/transaction.hpp"

namespace taipan {

/// Links the packages of one run into one prefix, and does what comes after linking. Errors leave the undoing to the
/// transaction.
class LinkStage {
public:
    LinkStage(Session& session, const Plan& plan, Transaction& transaction, std::string tarball_directory,
              InstallReport& report);

    /// Must come first: finds out which python the noarch packages are for, and when it will be there.
    Result<void> prepare();
    /// Plans one package, without touching the prefix. Thread-safe.
    Result<void> plan_package(CachedPackage package);
    /// Carries out the plan of the package at this index. Thread-safe.
    Result<void> link_package(std::size_t index);
    /// All planned packages, in parallel.
    Result<void> link_all();
    /// Where two packages of this run want one path, the later in dependency order gets it.
    Result<void> settle_conflicts();
    /// post-link scripts, one after the other, in dependency order.
    Result<void> run_post_link_scripts();
    /// What is left to compile.
    Result<void> compile();
    Result<void> write_records();

    /// For an existing prefix, before anything is touched: what will be created, and what is in the way of it.
    Result<void> announce(const std::set<std::string>& freed);

private:
    struct Linked {
        PackageRecord record;
        std::string directory;
        bool contained = false;
        UniqueFd fd; ///< of the directory, while it is open
        LinkPlan plan;
        PlacedFiles placed;
        bool planned = false;
    };
    [[nodiscard]] PlaceContext context(const Linked& package, int package_fd) const;
    Result<LinkType> link_type_for(const std::string& directory);
    Result<void> place(Linked& package);
    [[nodiscard]] std::set<std::size_t> interpreter_packages(const PackageRecord& python) const;
    Result<void> hand_to_compiler(std::size_t index);
    [[nodiscard]] std::vector<std::string> missing_directories() const;
    Result<void> run_script(LinkScript script, const Linked& package);
    void add_message(std::string message);

    Session& session_;
    const Plan& plan_;
    Transaction& transaction_;
    std::string tarball_directory_;
    InstallReport& report_; ///< guarded by mutex_
    std::mutex mutex_;
    std::optional<PythonInfo> python_;
    std::string python_name_;           ///< dist name
    std::set<std::size_t> interpreter_; ///< indexes of the packages that python needs to run, itself included
    std::set<std::string> contested_;   ///< paths that more than one package brought
    MadeDirectories made_;
    std::vector<Linked> packages_; ///< in dependency order; each touched by one worker at a time
    std::vector<std::pair<std::string, LinkChoice>> choices_; ///< by cache directory; guarded by mutex_
    std::optional<CompileStage> compiler_;                    ///< last: it refers to the rest
};

} // namespace taipan
