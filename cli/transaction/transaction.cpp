#include "transaction/transaction.hpp"

#include <map>

#include "base/filesystem.hpp"
#include "flow/install.hpp"
#include "flow/reproducible.hpp"
#include "flow/warm.hpp"
#include "prefix/environment_variables.hpp"
#include "program/fault_point.hpp"
#include "program/signals.hpp"
#include "requests/target_prefix.hpp"
#include "screen/package_json.hpp"
#include "screen/plan_view.hpp"
#include "screen/progress.hpp"
#include "screen/text.hpp"
#include "shell/activation.hpp"
#include "shell/init_plan.hpp"

// One run of create, install, update or remove, as a person sees it: plan, question, work, report. The engine does the
// work; here are only order and words. What must hold: nothing is touched before the plan is accepted; an environment
// that is to be replaced goes only when the new plan stands; with --json stdout gets exactly one document.

namespace taipan::cli {

namespace {

class TransactionRun {
public:
    static Result<void> run(Invocation& invocation, Config config, const TransactionRequest& request,
                            TransactionOutcome& outcome) {
        const bool as_peer = invocation.role() != Role::taipan && !config.json;
        const auto progress = make_progress(invocation.console, config.quiet, config.verbosity,
                                            as_peer ? ProgressStream::output : ProgressStream::errors);
        TAIPAN_TRY(auto recording, RunRecording::begin(request.recording, invocation, *progress));
        const bool quiet = config.quiet;
        TransactionRun run(invocation, std::move(config), request, *progress, recording.sink());
        auto done = run.carry_out(outcome);
        progress->finish();
        recording.finish(invocation.console, done ? nullptr : &done.error(), run.session_.workers(), quiet);
        return done;
    }

private:
    TransactionRun(Invocation& invocation, Config config, const TransactionRequest& request, Progress& progress,
                   EventSink& sink)
        : console_(invocation.console),
          role_(invocation.role()),
          request_(request),
          signals_(stop_),
          progress_(&progress),
          session_(std::move(config), sink, stop_) {
        session_.set_fault_point(fault_point_of(invocation));
    }

    Result<void> carry_out(TransactionOutcome& outcome) {
        for (const auto& text : config().warnings) session_.sink().note(Severity::info, text);
        for (const auto& text : request_.notes) session_.sink().note(Severity::warning, text);
        constexpr int attempts = 20;
        for (int attempt = 1;; ++attempt) {
            auto done = plan_and_apply(outcome);
            if (done || done.error().code != ErrorCode::outdated_plan || attempt == attempts) return done;
            session_.sink().note(Severity::warning, "another command has changed " + prefix() + "; it is planned anew");
        }
    }

    /// One attempt. The environment may have changed while the answer, or its lock, was waited for.
    Result<void> plan_and_apply(TransactionOutcome& outcome) {
        TAIPAN_TRY(Plan plan, make_plan(session_, request_.install));
        for (const auto& text : plan.warnings) session_.sink().note(Severity::warning, text);
        if (plan.nothing_to_do() && !plan.new_prefix) return nothing_to_do(plan, outcome);
        TAIPAN_TRY(const bool accepted, show_and_ask(plan));
        if (!accepted) return {};
        if (request_.download_only) return download(plan);
        expect(plan);
        TAIPAN_TRY(const InstallReport report, apply_plan(session_, plan));
        TAIPAN_CHECK(note_platform(plan));
        TAIPAN_CHECK(finish_environment(outcome));
        TAIPAN_CHECK(settle_environment(session_, prefix(), plan.new_prefix));
        show_report(plan, report);
        return {};
    }

    [[nodiscard]] const Config& config() const { return session_.config(); }
    [[nodiscard]] const std::string& prefix() const { return request_.install.prefix; }

    /// False when the run ends here: dry run, or the answer was no.
    Result<bool> show_and_ask(const Plan& plan) {
        progress_->pause();
        if (config().json) {
            if (request_.dry_run) print_plan_json({&plan, prefix(), {}, true});
            progress_->resume();
            return !request_.dry_run;
        }
        if (!plan.clone_of.empty()) {
            console_.print("Source:      " + plan.clone_of + "\nDestination: " + prefix() +
                           "\nPackages: " + std::to_string(plan.link.size()) +
                           "\nFiles: " + std::to_string(plan.untracked_files.size()) + '\n');
        }
        const auto width = console_.terminal().output ? static_cast<std::size_t>(console_.terminal().width()) : 0;
        if (request_.shows_plan && !(is_silent() && config().always_yes && !request_.dry_run)) {
            console_.print(plan_text(plan, width));
        }
        if (request_.dry_run) {
            console_.print_error("\nDryRunExit: Dry run. Exiting.\n\n");
            return false;
        }
        if (!config().always_yes) {
            auto yes = console_.confirm("Confirm changes:");
            // The end of the input is an empty line, that is yes, to conda and mamba; pre-commit's calls live on it.
            if (!yes && yes.error().code == ErrorCode::invalid_argument && role_ != Role::taipan) yes = true;
            if (!yes) return std::move(yes).error();
            if (!*yes) {
                console_.print_error("\nCondaSystemExit: Exiting.\n\n");
                return false;
            }
            console_.print("\n");
        }
        TAIPAN_CHECK(console_.flush());
        progress_->resume();
        return true;
    }

    void print_plan_json(PlanDocument document) {
        document.as_mamba = as_mamba(role_);
        console_.print(plan_json(document, config().channel_settings));
    }

    void expect(const Plan& plan) {
        std::uint64_t missing = 0, unpacked = 0;
        for (const auto& package : plan.link) {
            missing += package.cached == CacheState::missing ? 1 : 0;
            unpacked += package.cached == CacheState::extracted ? 0 : 1;
        }
        progress_->expect(Stage::fetch, missing, plan.download_bytes());
        progress_->expect(Stage::extract, unpacked, 0);
        progress_->expect(Stage::link, plan.link.size(), 0);
    }

    Result<void> nothing_to_do(const Plan& plan, TransactionOutcome& outcome) {
        if (!request_.dry_run) TAIPAN_CHECK(finish_environment(outcome));
        progress_->finish();
        const std::string message =
            plan.action == Action::remove ? "Nothing to remove." : "All requested packages already installed.";
        if (config().json) {
            // conda says nothing else then.
            const bool of_conda = role_ == Role::conda;
            print_plan_json({nullptr, of_conda ? "" : prefix(), message, request_.dry_run && !of_conda});
        } else if (!request_.empty_is_fine && !is_silent()) {
            console_.print("\n# " + message + "\n\n");
        }
        return {};
    }

    Result<void> download(const Plan& plan) {
        expect(plan);
        progress_->expect(Stage::link, 0, 0);
        TAIPAN_TRY(const InstallReport report, warm_cache(session_, plan, WarmForm::extracted));
        progress_->finish();
        if (config().json) {
            print_plan_json({&plan, prefix(), {}, false});
        } else if (!config().quiet) {
            console_.print(progress_->summary() + "\nThe packages are in the cache; nothing was installed "
                                                  "(--download-only).\n");
        }
        return {};
    }

    /// An environment for another platform remembers it (conda-spec 4.8).
    Result<void> note_platform(const Plan& plan) {
        if (!plan.new_prefix || config().subdir == native_subdir()) return {};
        return write_file_atomic(prefix() + "/.condarc", "subdir: " + config().subdir + "\n");
    }

    /// Variables and pip: what an environment file asks for beyond packages.
    Result<void> finish_environment(TransactionOutcome& outcome) {
        if (!request_.pip.empty()) {
            progress_->pause();
            if (!config().json && !config().quiet) console_.print("Installing with pip:\n");
            TAIPAN_CHECK(console_.flush());
            auto installed = install_with_pip(session_, prefix(), request_.pip);
            progress_->resume();
            outcome.pip_failed = !installed;
            if (!installed) return installed;
        }
        if (!request_.variables.empty()) {
            TAIPAN_TRY(auto variables, state_variables(prefix()));
            for (const auto& [name, value] : request_.variables) set_variable(variables, name, value);
            TAIPAN_CHECK(write_state_variables(prefix(), variables));
        }
        return {};
    }

    void show_report(const Plan& plan, const InstallReport& report) {
        progress_->finish();
        std::string text;
        for (const auto& message : report.messages) text += message + (message.ends_with('\n') ? "" : "\n");
        if (config().json) {
            if (!text.empty()) console_.print_error(text);
            PlanDocument document{&plan, prefix(), {}, false};
            if (is_slim()) document.left_out = {report.left_out_files, report.left_out_bytes};
            print_plan_json(std::move(document));
            return;
        }
        if (!config().quiet) text += summary(report);
        if (!config().quiet && is_slim()) {
            text += "Left out: " + counted(report.left_out_files, "file") + ", " + human_bytes(report.left_out_bytes) +
                    " (--slim)\n";
        }
        if (plan.new_prefix && !config().quiet) text += hint();
        console_.print(text);
    }

    /// Quiet means that all goes without a word, as with mamba; conda's -q leaves out progress only.
    [[nodiscard]] bool is_silent() const { return config().quiet && role_ != Role::conda; }
    [[nodiscard]] bool is_slim() const { return !config().slim.empty() || !config().slim_exclude.empty(); }

    /// The closing line, broken where the terminal ends.
    [[nodiscard]] std::string summary(const InstallReport& report) {
        std::string text = progress_->summary();
        if (report.linked_files > 0) {
            text += "; " + counted(report.linked_files, "file") + " by " +
                    (report.link_mode.empty() ? "link" : report.link_mode);
        }
        const auto& terminal = console_.terminal();
        return (terminal.output ? wrap_words(text, 0, static_cast<std::size_t>(terminal.width())) : text) + '\n';
    }

    [[nodiscard]] std::string hint() const {
        const auto name = environment_name(prefix(), config());
        const std::string command(role_name(role_));
        return "#\n# To activate this environment, use\n#\n#     $ " + command + " activate " +
               (name.empty() ? prefix() : name) + "\n#\n# To deactivate an active environment, use\n#\n#     $ " +
               command + " deactivate\n#\n# To run one program in it, use\n#\n#     $ " + command + " run " +
               selecting_words(prefix(), config()) + " PROGRAM\n#\n\n";
    }

    Console& console_;
    Role role_;
    const TransactionRequest& request_;
    StopSource stop_;
    StopOnSignals signals_;
    Progress* progress_;
    Session session_;
};

} // namespace

Result<void> run_transaction(Invocation& invocation, Config config, const TransactionRequest& request,
                             TransactionOutcome& outcome) {
    if (!request.dry_run) make_installation_files(invocation, config);
    return TransactionRun::run(invocation, std::move(config), request, outcome);
}

} // namespace taipan::cli
