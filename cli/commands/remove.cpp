#include <algorithm>
#include <set>

#include "commands/environment_removal.hpp"
#include "commands/transaction_command.hpp"
#include "flow/install.hpp"
#include "model/dependency_name.hpp"
#include "model/match_spec.hpp"
#include "prefix/frozen.hpp"
#include "prefix/prefix_data.hpp"
#include "program/fault_point.hpp"
#include "screen/package_json.hpp"
#include "screen/watched_run.hpp"

// `remove` takes packages out of an environment; `remove --all` and `env remove` delete the environment itself.

namespace taipan::cli {

namespace {

class Remove final : public TransactionCommand {
public:
    Options options() override {
        const std::string group = "Packages";
        Options options = spec_argument("names of packages to remove");
        append(options, {
                            {"--all", &all_, {}, "remove the whole environment", group},
                            {"--keep-env", &keep_, {}, "with --all: keep the environment, without packages", group},
                            {"--force-remove,--force",
                             &force_,
                             {},
                             "remove exactly the named packages, even if others need them",
                             group},
                            {"--no-pin", &no_pin_, {}, "ignore pinned packages", group},
                            {"--prune-deps", &prune_deps_, {}, {}, group},
                            {"--no-prune-deps",
                             &prune_deps_,
                             {},
                             "keep what the named packages needed and nothing needs any more",
                             group,
                             false},
                        });
        append(options, base_options());
        return options;
    }

    [[nodiscard]] std::string usage_error() const override {
        if (all_ && !specs_.empty()) return "--all removes everything; name no packages beside it";
        if (keep_ && !all_) return "--keep-env goes with --all";
        if (all_ && !keep_ && recording_.wanted())
            return "--timings and --trace have nothing to show when all is removed at once";
        return TransactionCommand::usage_error();
    }

protected:
    [[nodiscard]] Action action() const override { return Action::remove; }
    [[nodiscard]] WithoutTarget without_target(Role role) const override {
        return as_mamba(role) ? WithoutTarget::active_or_fail : WithoutTarget::active_or_root;
    }

    Result<bool> accept(Draft& draft) override {
        if (all_ && keep_) {
            TAIPAN_TRY(const auto data, load_prefix(draft.request.install.prefix, RecordDetail::identity));
            for (const auto& record : data.records) draft.request.install.specs.push_back(record.package.name);
            draft.request.install.force_remove = true; // nothing is left that could need something
            return true;
        }
        if (all_) {
            TAIPAN_TRY(const int code, remove_whole_environment(draft.invocation, std::move(draft.config),
                                                                draft.request.install.prefix, common_.dry_run));
            static_cast<void>(code);
            return false;
        }
        if (specs_.empty()) {
            return make_error(ErrorCode::invalid_argument,
                              "no package names supplied: name at least one, or say --all");
        }
        draft.request.install.force_remove = force_;
        if (!prune_deps_ && !force_) TAIPAN_CHECK(name_dependents(draft.request.install));
        return true;
    }

private:
    /// Adds to the named packages all that need them, so that exactly these go.
    static Result<void> name_dependents(InstallRequest& request) {
        TAIPAN_TRY(const auto data, load_prefix(request.prefix, RecordDetail::identity));
        std::set<std::string> gone;
        for (const auto& text : request.specs) {
            TAIPAN_TRY(const auto spec, MatchSpec::parse(text));
            for (const auto& record : data.records)
                if (spec.matches(record.package)) gone.insert(record.package.name);
        }
        const auto named = gone;
        for (bool grown = true; grown;) {
            grown = false;
            for (const auto& record : data.records) {
                const auto& depends = record.package.depends;
                if (std::any_of(depends.begin(), depends.end(),
                                [&](const auto& text) { return gone.contains(std::string(dependency_name(text))); }))
                    grown = gone.insert(record.package.name).second || grown;
            }
        }
        for (const auto& name : gone)
            if (!named.contains(name)) request.specs.push_back(name);
        request.force_remove = true;
        return {};
    }

    bool all_ = false, keep_ = false, force_ = false, prune_deps_ = true;
};

class EnvRemove final : public Command {
public:
    Options options() override {
        Options options = common_.prefix_options();
        append(options, common_.output_options());
        append(options, common_.consent_options());
        append(options, common_.config_options());
        return options;
    }
    [[nodiscard]] std::string usage_error() const override { return common_.usage_error(); }
    [[nodiscard]] bool wants_json() const override { return common_.json.value_or(false); }

    Result<int> run(Invocation& invocation) override {
        TAIPAN_TRY(auto config, load_settings(invocation, common_));
        TAIPAN_TRY(const auto prefix, resolve_target(invocation, common_, config, WithoutTarget::fail));
        return remove_whole_environment(invocation, std::move(config), prefix, common_.dry_run);
    }

private:
    CommonOptions common_;
};

Result<void> require_removable(const Invocation& invocation, const Config& config, const std::string& prefix) {
    if (prefix == config.root_prefix) {
        return make_error(ErrorCode::invalid_argument,
                          "the root prefix " + prefix + " holds all environments and is not removed by this command");
    }
    if (prefix == invocation.variable("CONDA_PREFIX")) {
        return make_error(ErrorCode::invalid_argument,
                          "cannot remove the environment that is active (" + prefix + "); deactivate it first");
    }
    TAIPAN_CHECK(require_environment(prefix));
    if (config.protect_frozen_envs) TAIPAN_CHECK(require_not_frozen(prefix));
    return require_writable(std::string(prefix));
}

/// The document, with all packages as those that go, as conda has it.
std::string removal_json(const std::string& prefix, bool dry_run, const Config& config) {
    Plan plan;
    if (const auto data = load_prefix(prefix, RecordDetail::identity, config.channel_settings)) {
        plan.unlink = data->packages();
    }
    return plan_json({&plan, prefix, {}, dry_run}, config.channel_settings);
}

} // namespace

Result<int> remove_whole_environment(Invocation& invocation, Config config, const std::string& prefix, bool dry_run) {
    TAIPAN_CHECK(require_removable(invocation, config, prefix));
    Console& console = invocation.console;
    const bool json = config.json, quiet = config.quiet;
    if (!json && !quiet) console.print("\nRemove all packages in environment " + prefix + ":\n\n");
    WatchedRun watched(console, true, config.verbosity);
    if (!dry_run && !json && !config.always_yes) {
        TAIPAN_TRY(const bool yes,
                   console.confirm("Everything found in the environment will be removed. Proceed?", false));
        if (!yes) {
            console.print_error("\nCondaSystemExit: Exiting.\n\n");
            return exit_success;
        }
    }
    const auto document = json ? removal_json(prefix, dry_run, config) : std::string();
    if (!dry_run) {
        Session session(std::move(config), *watched.progress, watched.stop);
        session.set_fault_point(fault_point_of(invocation));
        TAIPAN_CHECK(remove_environment(session, prefix));
    }
    if (json)
        console.print(document);
    else if (dry_run)
        console.print_error("\nDryRunExit: Dry run. Exiting.\n\n");
    else if (!quiet)
        console.print("Environment removed: " + prefix + "\n");
    return exit_success;
}

std::unique_ptr<Command> make_remove() { return std::make_unique<Remove>(); }
std::unique_ptr<Command> make_env_remove() { return std::make_unique<EnvRemove>(); }

} // namespace taipan::cli
