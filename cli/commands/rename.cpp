#include "base/filesystem.hpp"
#include "config/expand.hpp"
#include "flow/install.hpp"
#include "prefix/frozen.hpp"
#include "prefix/prefix_data.hpp"
#include "program/fault_point.hpp"
#include "requests/target_prefix.hpp"
#include "screen/watched_run.hpp"
#include "transaction/transaction.hpp"

// `rename`: an environment under another name or path. As conda does it: the environment is copied to the new place,
// with its paths rewritten, and the old one goes when the copy is complete. Killed in between, both are there.

namespace taipan::cli {

namespace {

class Rename final : public Command {
public:
    Options options() override {
        const std::string group = "Renaming";
        Options options = {{"destination", &words_, "NAME", "new name, or path with a /", group}};
        append(options, common_.prefix_options());
        append(options, common_.output_options());
        append(options, common_.consent_options());
        append(options, common_.config_options());
        append(options, {{"--offline", &common_.offline, {}, "use what is in the cache only", group}});
        return options;
    }
    [[nodiscard]] std::string usage_error() const override {
        if (words_.size() != 1) return "give one new name, as in `taipan rename -n old new`";
        return common_.usage_error();
    }
    [[nodiscard]] bool wants_json() const override { return common_.json.value_or(false); }
    [[nodiscard]] std::string_view error_name(ErrorCode code) const override {
        const bool ours = code == ErrorCode::invalid_argument || code == ErrorCode::environment_exists;
        return ours ? "CondaEnvException" : std::string_view();
    }

    Result<int> run(Invocation& invocation) override {
        TAIPAN_TRY(auto config, load_settings(invocation, common_));
        TAIPAN_TRY(const auto source, resolve_target(invocation, common_, config, WithoutTarget::active_or_root));
        TAIPAN_CHECK(require_movable(invocation, config, source));
        TAIPAN_TRY(const auto destination, resolve_destination(invocation, config));
        TransactionRequest request;
        request.install.action = Action::create;
        request.install.prefix = destination;
        request.install.clone_of = source;
        request.install.command_line = invocation.command_line();
        if (!is_empty_or_missing(destination)) {
            const bool replaceable = is_environment(destination) && destination != source;
            if (!replaceable || !config.always_yes) {
                return make_error(ErrorCode::environment_exists, "The environment '" + destination +
                                                                     "' already exists." +
                                                                     (replaceable ? " Override with --yes." : ""));
            }
            request.install.replace_existing = true;
        }
        if (common_.dry_run) {
            invocation.console.print("Dry run action: clone " + source + ',' + destination +
                                     "\nDry run action: rm_rf " + source + '\n');
            return exit_success;
        }
        TAIPAN_CHECK(require_writable(destination));
        TAIPAN_CHECK(copy(invocation, config, request));
        return remove_source(invocation, std::move(config), source);
    }

private:
    static Result<void> require_movable(const Invocation& invocation, const Config& config, const std::string& source) {
        if (source == config.root_prefix) {
            return make_error(ErrorCode::invalid_argument, "The 'base' environment cannot be renamed");
        }
        TAIPAN_CHECK(require_environment(source));
        if (source == invocation.variable("CONDA_PREFIX")) {
            return make_error(ErrorCode::invalid_argument, "Cannot rename the active environment");
        }
        const auto name = environment_name(source, config);
        if (config.default_activation_env == source || (!name.empty() && config.default_activation_env == name)) {
            return make_error(ErrorCode::invalid_argument,
                              "Cannot rename an environment if it is configured as `default_activation_env`.");
        }
        if (config.protect_frozen_envs) TAIPAN_CHECK(require_not_frozen(source));
        return require_writable(source);
    }

    Result<std::string> resolve_destination(const Invocation& invocation, const Config& config) const {
        CommonOptions options = common_;
        const bool is_path = words_.front().find('/') != std::string::npos;
        options.name = is_path ? std::string() : words_.front();
        options.prefix = is_path ? words_.front() : std::string();
        return resolve_target(invocation, options, config, WithoutTarget::fail);
    }

    /// Without a plan on screen: which packages there are is no news, and the name was the question.
    static Result<void> copy(Invocation& invocation, Config config, TransactionRequest& request) {
        config.always_yes = true;
        config.quiet = true;
        request.shows_plan = false;
        TransactionOutcome outcome;
        TAIPAN_CHECK(run_transaction(invocation, config, request, outcome));
        return {};
    }

    static Result<int> remove_source(Invocation& invocation, Config config, const std::string& source) {
        WatchedRun watched(invocation.console, true, config.verbosity);
        Session session(std::move(config), *watched.progress, watched.stop);
        session.set_fault_point(fault_point_of(invocation));
        TAIPAN_CHECK(remove_environment(session, source).context("while removing what has been copied"));
        return exit_success;
    }

    CommonOptions common_;
    std::vector<std::string> words_;
};

} // namespace

std::unique_ptr<Command> make_rename() { return std::make_unique<Rename>(); }

} // namespace taipan::cli
