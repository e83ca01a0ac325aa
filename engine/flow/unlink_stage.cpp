#include "flow/unlink_stage.hpp"

#include <vector>

#include "base/filesystem.hpp"
#include "flow/foreign_platform.hpp"
#include "flow/interrupted.hpp"
#include "flow/replaced_prefix.hpp"
#include "link/link_scripts.hpp"
#include "prefix/environment_variables.hpp"
#include "prefix/frozen.hpp"
#include "prefix/journal.hpp"
#include "prefix/pip_packages.hpp"
#include "prefix/prefix_data.hpp"
#include "prefix/registry.hpp"
#include "prefix/unlink.hpp"

namespace taipan {

namespace {

/// A failing pre-unlink script is a warning: the package goes anyway (conda-spec 5.1).
Result<void> run_pre_unlink(Session& session, const std::string& prefix, const PackageRecord& package,
                            std::vector<std::string>& messages) {
    if (is_for_foreign_platform(session.config()) || session.config().skip_run_link_scripts) return {};
    LinkScriptContext where;
    where.prefix = prefix;
    where.root_prefix = session.config().root_prefix;
    where.environment = session.config().environment;
    where.stop = &session.stop().flag();
    TAIPAN_TRY(where.prefix_variables, prefix_variables(prefix));
    TAIPAN_TRY(auto outcome, run_link_script(LinkScript::pre_unlink, package, where));
    if (!outcome.messages.empty()) messages.push_back(std::move(outcome.messages));
    for (auto& warning : outcome.warnings) messages.push_back(std::move(warning));
    return {};
}

} // namespace

Result<LeavingPackages> load_leaving(const Session& session, const Plan& plan) {
    LeavingPackages leaving;
    for (const auto& package : plan.unlink) {
        TAIPAN_TRY(auto record,
                   load_prefix_record(plan.prefix, package.dist_name(), session.config().channel_settings));
        for (const auto& file : record.files) {
            if (!plan.kept_paths.contains(file)) leaving.files.insert(file);
        }
        leaving.records.push_back(std::move(record));
    }
    if (!session.config().prefix_data_interoperability || plan.link.empty()) return leaving;
    std::set<std::string> coming;
    for (const auto& package : plan.link) coming.insert(package.record.name);
    TAIPAN_TRY(const PrefixData data,
               load_prefix(plan.prefix, RecordDetail::identity, session.config().channel_settings));
    TAIPAN_TRY(auto replaced, pip_records(data, coming));
    for (auto& record : replaced) {
        leaving.files.insert(record.files.begin(), record.files.end());
        leaving.records.push_back(std::move(record));
    }
    return leaving;
}

Result<void> unlink_packages(Session& session, const Plan& plan, const LeavingPackages& leaving,
                             Transaction& transaction, InstallReport& report) {
    for (const auto& record : leaving.records) {
        if (record.package.channel_name == "pypi") {
            report.messages.push_back(record.package.name + ' ' + record.package.version +
                                      ", which pip had installed, has made way for the package of that name");
            continue;
        }
        TAIPAN_CHECK(run_pre_unlink(session, plan.prefix, record.package, report.messages));
    }
    return unlink_records(leaving.records, plan.kept_paths, transaction).context("while unlinking from " + plan.prefix);
}

Result<void> run_pre_unlink_scripts(Session& session, const std::string& prefix) {
    TAIPAN_TRY(const PrefixData data, load_prefix(prefix, RecordDetail::identity, session.config().channel_settings));
    for (const auto& record : data.records) {
        std::vector<std::string> messages;
        TAIPAN_CHECK(run_pre_unlink(session, prefix, record.package, messages));
        for (const auto& message : messages) session.sink().note(Severity::info, message);
    }
    return {};
}

Result<void> remove_environment(Session& session, const std::string& prefix) {
    const Config& config = session.config();
    TAIPAN_CHECK(require_environment(prefix));
    if (config.protect_frozen_envs) TAIPAN_CHECK(require_not_frozen(prefix));
    const auto lock = [&](const std::string& path) {
        return take_prefix_lock(path, prefix, session.sink(), prefix_lock_patience_seconds, &session.stop().flag());
    };
    TAIPAN_TRY(const FileLock claim, lock(claim_lock_path(prefix)));
    TAIPAN_CHECK(require_environment(prefix));
    TAIPAN_TRY(const FileLock change, lock(prefix + '/' + prefix_lock_path));
    TAIPAN_CHECK(run_pre_unlink_scripts(session, prefix));
    pass(session.fault_point(), "before the environment goes");
    TAIPAN_CHECK(delete_prefix(prefix));
    if (config.home.empty()) return {};
    if (auto unregistered = unregister_environment(config.home, prefix); !unregistered) {
        session.sink().note(Severity::warning, unregistered.error().message);
    }
    return {};
}

} // namespace taipan
