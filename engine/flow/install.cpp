// A whole run, from a plan to a changed prefix. A new prefix is linked package by package while others are still on
// their way; an existing one is not touched before everything it needs is in the cache and verified.
//
// Invariants between the steps are stated there. Any early return undoes all: the transaction's destructor rolls back.

#include "flow/install.hpp"

#include <chrono>

#include <tbb/task_arena.h>

#include "base/filesystem.hpp"
#include "flow/arrivals.hpp"
#include "flow/clone.hpp"
#include "flow/interrupted.hpp"
#include "flow/link_stage.hpp"
#include "flow/package_supply.hpp"
#include "flow/replaced_prefix.hpp"
#include "flow/restored_files.hpp"
#include "flow/run_history.hpp"
#include "flow/unlink_stage.hpp"
#include "flow/warm.hpp"
#include "prefix/journal.hpp"
#include "prefix/prefix_data.hpp"
#include "prefix/registry.hpp"
#include "prefix/transaction.hpp"

namespace taipan {

namespace {

double seconds_since_epoch() {
    return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
}

/// A new prefix: every package is planned and linked as soon as it is there.
Result<void> link_as_they_come(const Plan& plan, const PackageSupply& supply, LinkStage& stage, InstallReport& report) {
    Arrivals arrivals(
        plan,
        [&](CachedPackage package) -> Result<void> {
            const std::size_t index = package.index;
            TAIPAN_CHECK(stage.plan_package(std::move(package)));
            return stage.link_package(index);
        },
        [&](const PackageRecord& python) { return stage.know_python(python); });
    TAIPAN_CHECK(supply.bring(
        plan, [&](CachedPackage package) { return arrivals.take(std::move(package)); }, report));
    stage.order_by_dependencies();
    return {};
}

/// An existing prefix, or one that is not to be begun in vain: first everything is brought and planned, then out
/// with the old, in with the new.
Result<void> replace_packages(Session& session, const Plan& plan, const PackageSupply& supply, LinkStage& stage,
                              Transaction& transaction, InstallReport& report) {
    Arrivals arrivals(
        plan, [&](CachedPackage package) { return stage.plan_package(std::move(package)); },
        [&](const PackageRecord& python) { return stage.know_python(python); });
    TAIPAN_CHECK(supply.bring(
        plan, [&](CachedPackage package) { return arrivals.take(std::move(package)); }, report));
    stage.order_by_dependencies();
    TAIPAN_TRY(const auto leaving, load_leaving(session, plan));
    TAIPAN_CHECK(stage.check_conflicts(leaving.files));
    // From here on the network is not needed any more, and the prefix changes.
    TAIPAN_CHECK(unlink_packages(session, plan, leaving, transaction, report));
    TAIPAN_CHECK(stage.announce());
    Result<void> linked;
    tbb::task_arena arena(session.workers());
    arena.execute([&] { linked = stage.link_all(); });
    return linked;
}

Result<void> finish(Session& session, const Plan& plan, LinkStage& stage) {
    TAIPAN_CHECK(stage.settle_conflicts());
    if (!plan.clone_of.empty()) TAIPAN_CHECK(copy_untracked(session, plan));
    TAIPAN_CHECK(stage.run_post_link_scripts());
    Result<void> done;
    tbb::task_arena arena(session.workers());
    arena.execute([&] {
        done = stage.compile();
        if (done) done = stage.write_records();
    });
    TAIPAN_CHECK(std::move(done));
    if (session.stop().stop_requested()) {
        return make_error(ErrorCode::cancelled, "stopped; " + plan.prefix + " is as it was before");
    }
    return {};
}

void register_prefix(Session& session, const Plan& plan, InstallReport& report) {
    const Config& config = session.config();
    if (!config.register_envs || config.home.empty() || config.reproducible) return;
    if (auto registered = register_environment(config.home, plan.prefix); !registered) {
        report.messages.push_back("the environment is not listed in ~/.conda/environments.txt: " +
                                  registered.error().message);
    }
}

Result<void> carry_out(Session& session, const Plan& plan, PackageSupply& supply, InstallReport& report) {
    TAIPAN_TRY(Transaction transaction, plan.new_prefix ? Transaction::begin_new(plan.prefix, session.fault_point())
                                                        : Transaction::begin(plan.prefix, session.fault_point()));
    if (plan.new_prefix) TAIPAN_CHECK(create_environment(plan.prefix, seconds_since_epoch()));
    TAIPAN_CHECK(supply.choose_place(transaction));
    LinkStage stage(session, plan, transaction, supply, report);
    TAIPAN_CHECK(stage.prepare());
    if (stage.links_as_they_come())
        TAIPAN_CHECK(link_as_they_come(plan, supply, stage, report));
    else
        TAIPAN_CHECK(replace_packages(session, plan, supply, stage, transaction, report));
    TAIPAN_CHECK(finish(session, plan, stage));
    TAIPAN_CHECK(transaction.appending("conda-meta/history"));
    TAIPAN_CHECK(record_in_history(plan, session.config()));
    pass(session.fault_point(), "history is written");
    TAIPAN_CHECK(transaction.commit());
    register_prefix(session, plan, report);
    return {};
}

/// Others may have taken their turn between planning and the lock.
Result<void> require_unchanged(const Plan& plan) {
    TAIPAN_CHECK(require_environment(plan.prefix));
    TAIPAN_TRY(const auto record_files, record_file_names(plan.prefix));
    if (record_files == plan.record_files) return {};
    return make_error(ErrorCode::outdated_plan, "another command has changed " + plan.prefix +
                                                    " since this one looked at it; run this one again");
}

} // namespace

Result<InstallReport> apply_plan(Session& session, const Plan& plan) {
    raise_open_file_limit();
    InstallReport report;
    TAIPAN_TRY(PackageSupply supply, PackageSupply::open(session, plan));
    if (plan.new_prefix) {
        if (plan.replaces_existing) TAIPAN_CHECK(run_pre_unlink_scripts(session, plan.prefix));
        TAIPAN_TRY(NewPrefixClaim claim, NewPrefixClaim::make(plan.prefix, plan.replaces_existing));
        TAIPAN_CHECK(carry_out(session, plan, supply, report));
        TAIPAN_CHECK(claim.succeed());
        note_use_of_cache(supply.cache().writable_directory(), plan);
        return report;
    }
    TAIPAN_CHECK(require_environment(plan.prefix));
    TAIPAN_TRY(const FileLock lock, take_prefix_lock(plan.prefix + '/' + prefix_lock_path, plan.prefix, session.sink(),
                                                     prefix_lock_patience_seconds, &session.stop().flag()));
    TAIPAN_CHECK(require_unchanged(plan));
    TAIPAN_TRY(const Plan complete, with_restored_files(session, plan, supply.cache()));
    TAIPAN_CHECK(carry_out(session, complete, supply, report));
    note_use_of_cache(supply.cache().writable_directory(), complete);
    return report;
}

} // namespace taipan
