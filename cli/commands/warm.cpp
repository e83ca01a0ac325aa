#include <algorithm>

#include <fmt/format.h>

#include "base/json_writer.hpp"
#include "flow/warm.hpp"
#include "program/common_options.hpp"
#include "requests/wishes.hpp"
#include "screen/package_json.hpp"
#include "screen/plan_view.hpp"
#include "screen/text.hpp"
#include "screen/watched_run.hpp"
#include "transaction/run_recording.hpp"

// `warm`: brings everything that environments will need into the cache, so that `create --offline` works later (CI,
// image builds). All is planned first and then fetched together, each package once.

namespace taipan::cli {

namespace {

class Warm final : public Command {
public:
    Options options() override {
        Options options = wishes_.options(common_);
        const std::string group = "Cache";
        append(options, {{"--archives", &archives_, {}, "keep packages as archives, verified but not extracted", group},
                         {"--extracted", &extracted_, {}, "keep them extracted, too (this is the default)", group},
                         {"-r,--root-prefix", &common_.root_prefix, "PATH", "where the packages are kept", group}});
        append(options, common_.output_options());
        append(options, recording_.options());
        append(options, common_.consent_options());
        append(options, common_.config_options());
        return options;
    }
    [[nodiscard]] std::string usage_error() const override {
        if (wishes_.empty()) return "name at least one file (-f) or package";
        if (archives_ && extracted_) return "--archives and --extracted exclude each other";
        return common_.usage_error();
    }
    [[nodiscard]] bool wants_json() const override { return json_; }

    Result<int> run(Invocation& invocation) override {
        TAIPAN_TRY(auto config, load_settings_for_output(invocation, common_, json_));
        WatchedRun watched(invocation.console, config.quiet, config.verbosity);
        TAIPAN_TRY(const auto wishes, wishes_.read(invocation, common_, config));
        note_warnings(wishes, *watched.progress);
        TAIPAN_TRY(auto recording, RunRecording::begin(recording_, invocation, *watched.progress));
        const bool quiet = config.quiet;
        PlatformSessions sessions(std::move(config), recording.sink(), watched.stop);
        auto text = carry_out(sessions, wishes, *watched.progress);
        watched.progress->finish();
        recording.finish(invocation.console, text ? nullptr : &text.error(), sessions.own().workers(), quiet);
        if (!text) return std::move(text).error();
        invocation.console.print(*text);
        return exit_success;
    }

private:
    /// What there is to say about it.
    Result<std::string> carry_out(PlatformSessions& sessions, const std::vector<Wish>& wishes, Progress& progress) {
        TAIPAN_TRY(const auto plans, plan_wishes(sessions, wishes));
        TAIPAN_TRY(Plan all, join_plans(plans));
        if (archives_) TAIPAN_CHECK(look_for_archives(sessions.own(), all));
        std::string text;
        const bool several = std::any_of(wishes.begin(), wishes.end(),
                                         [&](const Wish& wish) { return wish.subdir != wishes.front().subdir; });
        for (std::size_t i = 0; i < wishes.size(); ++i) {
            const std::string name = wishes[i].source + (several ? " (" + wishes[i].subdir + ")" : "");
            text += common_.dry_run ? "\n" + name + ":\n" + plan_text(plans[i], 0)
                                    : line(name, plans.size() > 1 ? plans[i] : all);
        }
        if (!common_.dry_run) {
            expect(progress, all);
            Session& session = sessions.own();
            const auto form = archives_ ? WarmForm::archives : WarmForm::extracted;
            TAIPAN_TRY(const auto report, warm_cache(session, all, form));
            for (const auto& message : report.messages) session.sink().note(Severity::info, message);
        }
        if (json_) return document(all);
        if (common_.dry_run) return text;
        if (plans.size() > 1) text += line("together", all);
        if (!sessions.config().quiet) text += progress.summary() + "\n";
        return text;
    }

    void expect(Progress& progress, const Plan& plan) const {
        std::uint64_t missing = 0, unpacked = 0;
        for (const auto& package : plan.link) {
            missing += package.cached == CacheState::missing ? 1 : 0;
            unpacked += package.cached == CacheState::extracted || archives_ ? 0 : 1;
        }
        progress.expect(Stage::fetch, missing, plan.download_bytes());
        progress.expect(Stage::extract, unpacked, 0);
    }

    static std::string line(const std::string& name, const Plan& plan) {
        const auto missing = static_cast<std::uint64_t>(
            std::count_if(plan.link.begin(), plan.link.end(),
                          [](const PlannedPackage& package) { return package.cached == CacheState::missing; }));
        return fmt::format("{}: {}; {} fetched ({}), {} in the cache before\n", name,
                           counted(plan.link.size(), "package"), missing, human_bytes(plan.download_bytes()),
                           plan.link.size() - missing);
    }

    [[nodiscard]] std::string document(const Plan& all) const {
        JsonWriter json;
        json.begin_object();
        if (common_.dry_run) json.member("dry_run", true);
        json.key("fetched").begin_array();
        for (const auto& package : all.link) {
            if (package.cached == CacheState::missing) write_full_record(json, package.record);
        }
        json.end_array();
        json.member("packages", all.link.size());
        json.member("success", true);
        return json.end_object().take() + "\n";
    }

    CommonOptions common_;
    RecordingOptions recording_;
    WishOptions wishes_;
    bool archives_ = false, extracted_ = false, json_ = false;
};

} // namespace

std::unique_ptr<Command> make_warm() { return std::make_unique<Warm>(); }

} // namespace taipan::cli
