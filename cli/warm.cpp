#include <algorithm>

#include <fmt/format.h>

#include "base/filesystem.hpp"
#include "base/json_writer.hpp"
#include "common_options.hpp"
#include "config/expand.hpp"
#include "flow/install.hpp"
#include "package_json.hpp"
#include "plan_view.hpp"
#include "progress.hpp"
#include "request_files.hpp"
#include "run_recording.hpp"
#include "signals.hpp"
#include "text.hpp"

// `warm`: brings everything that environments will need into the cache, so that `create --offline` works later (CI,
// image builds). Each file is an environment of its own and solved by itself; bare specs together make one more.

namespace taipan::cli {

namespace {

/// One environment to be: where it was asked for and what it asks for.
struct Wish {
    std::string source;
    InstallRequest request;
};

class Warm final : public Command {
public:
    Options options() override {
        const std::string group = "Packages";
        Options options = {
            {"specs", &specs_, "SPEC", "packages, or names of files", group},
            {"--no-deps", &no_deps_, {}, "exactly the named packages, whatever they need", group},
            {"-r,--root-prefix", &common_.root_prefix, "PATH", "where the packages are kept", "Environment"},
        };
        append(options, files_.options());
        append(options, common_.channel_options());
        append(options, common_.output_options());
        append(options, recording_.options());
        append(options, common_.consent_options());
        append(options, common_.config_options());
        return options;
    }
    [[nodiscard]] std::string usage_error() const override {
        if (specs_.empty() && files_.files.empty()) return "name at least one file (-f) or package";
        return common_.usage_error();
    }
    [[nodiscard]] bool wants_json() const override { return json_; }

    Result<int> run(Invocation& invocation) override {
        json_ = common_.json.value_or(false);
        TAIPAN_TRY(auto config, load_settings(invocation, common_));
        json_ = config.json;
        StopSource stop;
        const StopOnSignals signals(stop);
        const auto progress = make_progress(invocation.console, config.quiet, config.verbosity);
        TAIPAN_TRY(const auto wishes, read_wishes(invocation, config, *progress));
        TAIPAN_TRY(auto recording, RunRecording::begin(recording_, invocation, *progress));
        Session session(std::move(config), recording.sink(), stop);
        auto text = carry_out(session, wishes, *progress);
        progress->finish();
        recording.finish(invocation.console, text ? nullptr : &text.error(), session.workers(), session.config().quiet);
        if (!text) return std::move(text).error();
        invocation.console.print(*text);
        return exit_success;
    }

private:
    /// What there is to say about it.
    Result<std::string> carry_out(Session& session, const std::vector<Wish>& wishes, Progress& progress) {
        std::string text;
        std::vector<Plan> plans;
        for (const auto& wish : wishes) {
            TAIPAN_TRY(auto plan, make_plan(session, wish.request));
            for (const auto& warning : plan.warnings) session.sink().note(Severity::warning, warning);
            if (!common_.dry_run) {
                add_expected(progress, plan);
                TAIPAN_TRY(const auto report, warm_cache(session, plan));
                for (const auto& message : report.messages) session.sink().note(Severity::info, message);
                text += line(wish, plan);
            } else {
                text += "\n" + wish.source + ":\n" + plan_text(plan, 0);
            }
            plans.push_back(std::move(plan));
        }
        if (json_) return document(plans);
        if (!common_.dry_run && !session.config().quiet) text += progress.summary() + "\n";
        return text;
    }

    /// Words that name a file are files: `warm -f a.yml b.yml`.
    void sort_words(const Config& config) {
        std::vector<std::string> rest;
        for (auto& word : specs_) {
            const bool named =
                word.ends_with(".yml") || word.ends_with(".yaml") || word.ends_with(".txt") || word.ends_with(".lock");
            if (named && exists(absolute_path(expand_home(word, config.home), config.working_directory))) {
                files_.files.push_back(std::move(word));
            } else {
                rest.push_back(std::move(word));
            }
        }
        specs_ = std::move(rest);
    }

    Result<std::vector<Wish>> read_wishes(const Invocation& invocation, const Config& config, Progress& progress) {
        sort_words(config);
        std::vector<Wish> wishes;
        const auto add = [&](std::string source, std::vector<std::string> specs,
                             const std::vector<std::string>& channels, bool nodefaults) {
            Wish wish;
            wish.source = std::move(source);
            wish.request.action = Action::create;
            wish.request.prefix = config.pkgs_dirs.front() + "/.taipan-warm"; // never made
            wish.request.specs = std::move(specs);
            wish.request.channels = request_channels(common_, config, channels, nodefaults);
            wish.request.command_line = invocation.command_line();
            wish.request.no_deps = no_deps_;
            wishes.push_back(std::move(wish));
        };
        for (const auto& path : files_.files) {
            RequestFileOptions one = files_;
            one.files = {path}; // each is an environment of its own: they may be of different kinds
            TAIPAN_TRY(auto read, read_request_files(one, config));
            RequestFile& file = read.front();
            for (const auto& warning : file.warnings) progress.note(Severity::warning, warning);
            if (!file.pip.empty()) {
                progress.note(Severity::warning,
                              file.path + ": its 'pip:' packages are not fetched; pip has a cache of its own");
                if (file.kind == RequestFile::Kind::environment) file.dependencies.emplace_back("pip");
            }
            add(file.path, std::move(file.dependencies), file.channels, file.nodefaults);
            wishes.back().request.locked = std::move(file.locked);
            wishes.back().request.from_lock = file.kind == RequestFile::Kind::lock;
        }
        if (!specs_.empty()) add("packages", specs_, {}, false);
        return wishes;
    }

    void add_expected(Progress& progress, const Plan& plan) {
        for (const auto& package : plan.link) {
            missing_ += package.cached == CacheState::missing ? 1 : 0;
            unpacked_ += package.cached == CacheState::extracted ? 0 : 1;
        }
        bytes_ += plan.download_bytes();
        progress.expect(Stage::fetch, missing_, bytes_);
        progress.expect(Stage::extract, unpacked_, 0);
    }

    static std::string line(const Wish& wish, const Plan& plan) {
        const auto missing = static_cast<std::uint64_t>(
            std::count_if(plan.link.begin(), plan.link.end(),
                          [](const PlannedPackage& package) { return package.cached == CacheState::missing; }));
        return fmt::format("{}: {}; {} fetched ({}), {} in the cache before\n", wish.source,
                           counted(plan.link.size(), "package"), missing, human_bytes(plan.download_bytes()),
                           plan.link.size() - missing);
    }

    [[nodiscard]] std::string document(const std::vector<Plan>& plans) const {
        JsonWriter json;
        json.begin_object();
        if (common_.dry_run) json.member("dry_run", true);
        json.key("fetched").begin_array();
        for (const auto& plan : plans) {
            for (const auto& package : plan.link) {
                if (package.cached == CacheState::missing) write_full_record(json, package.record);
            }
        }
        json.end_array();
        json.member("success", true);
        return json.end_object().take() + "\n";
    }

    CommonOptions common_;
    RecordingOptions recording_;
    std::vector<std::string> specs_;
    RequestFileOptions files_;
    bool no_deps_ = false, json_ = false;
    std::uint64_t missing_ = 0, unpacked_ = 0, bytes_ = 0;
};

} // namespace

std::unique_ptr<Command> make_warm() { return std::make_unique<Warm>(); }

} // namespace taipan::cli
