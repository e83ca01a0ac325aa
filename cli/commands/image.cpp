#include <algorithm>

#include <fmt/format.h>

#include "base/json_writer.hpp"
#include "config/expand.hpp"
#include "flow/image.hpp"
#include "program/common_options.hpp"
#include "requests/image_options.hpp"
#include "requests/request_files.hpp"
#include "screen/plan_view.hpp"
#include "screen/text.hpp"
#include "screen/watched_run.hpp"
#include "transaction/run_recording.hpp"

// `image`: an OCI image from a lock file, an environment file or specs. No environment is made: the layers come
// straight from the package cache.

namespace taipan::cli {

namespace {

class Image final : public Command {
public:
    Options options() override {
        Options options = image_.options();
        append(options, {{"specs", &specs_, "SPEC", "packages, when no file lists them", "Packages"}});
        append(options, files_.options());
        append(options,
               {{"-r,--root-prefix", &common_.root_prefix, "PATH", "where the packages are kept", "Packages"}});
        Option slim{"--slim", &slim_, "GROUPS", "leave out what running programs do not need", "Packages"};
        slim.implied_value = "default";
        append(options,
               {slim,
                {"--slim-exclude", &slim_exclude_, "GLOB", "leave out these paths, too; may be repeated", "Packages"},
                {"--slim-keep", &slim_keep_, "GLOB", "do not leave out these paths; may be repeated", "Packages"}});
        append(options, common_.channel_options());
        append(options, common_.output_options());
        append(options, recording_.options());
        append(options, common_.consent_options());
        append(options, common_.config_options());
        return options;
    }
    [[nodiscard]] std::string usage_error() const override {
        if (specs_.empty() && files_.files.empty()) return "name at least one file (-f) or package";
        if (image_.output.empty()) return "say where the image goes (-o)";
        return common_.usage_error();
    }
    [[nodiscard]] bool wants_json() const override { return json_; }

    Result<int> run(Invocation& invocation) override {
        TAIPAN_TRY(auto config, load_settings_for_output(invocation, common_, json_));
        TAIPAN_TRY(ImageRequest request, image_.request(config, invocation.variable("SOURCE_DATE_EPOCH")));
        if (!slim_.empty()) config.slim = split_list(slim_, ',');
        config.slim_exclude.insert(config.slim_exclude.end(), slim_exclude_.begin(), slim_exclude_.end());
        config.slim_keep.insert(config.slim_keep.end(), slim_keep_.begin(), slim_keep_.end());
        WatchedRun watched(invocation.console, config.quiet, config.verbosity);
        TAIPAN_TRY(const auto install, read_request(invocation, config, request, *watched.progress));
        TAIPAN_TRY(auto recording, RunRecording::begin(recording_, invocation, *watched.progress));
        Session session(std::move(config), recording.sink(), watched.stop);
        auto text = carry_out(session, install, request, *watched.progress);
        watched.progress->finish();
        recording.finish(invocation.console, text ? nullptr : &text.error(), session.workers(), session.config().quiet);
        if (!text) return std::move(text).error();
        invocation.console.print(*text);
        return exit_success;
    }

private:
    Result<InstallRequest> read_request(const Invocation& invocation, const Config& config, ImageRequest& request,
                                        Progress& progress) {
        InstallRequest install;
        install.action = Action::create;
        install.prefix = config.pkgs_dirs.front() + "/.taipan-image"; // never made
        install.command_line = invocation.command_line();
        TAIPAN_TRY(auto files, read_request_files(files_, config));
        std::vector<std::string> channels;
        bool nodefaults = false;
        for (RequestFile& file : files) {
            for (const auto& warning : file.warnings) progress.note(Severity::warning, warning);
            if (!file.pip.empty()) {
                return make_error(ErrorCode::invalid_argument,
                                  file.path + " has packages for pip, which would have to run in the image; take them "
                                              "out, and install them in a Dockerfile step FROM the image");
            }
            for (auto& spec : file.dependencies) install.specs.push_back(std::move(spec));
            for (auto& package : file.locked) install.locked.push_back(std::move(package));
            install.from_lock = install.from_lock || file.kind == RequestFile::Kind::lock;
            channels.insert(channels.end(), file.channels.begin(), file.channels.end());
            nodefaults = nodefaults || file.nodefaults;
            // What activation would set; --env goes over it.
            request.environment.insert(request.environment.begin(), file.variables.begin(), file.variables.end());
        }
        if (install.from_lock && !specs_.empty()) {
            return make_error(ErrorCode::invalid_argument,
                              "a lock file says all that will be installed; name no packages beside it");
        }
        install.specs.insert(install.specs.end(), specs_.begin(), specs_.end());
        install.channels = request_channels(common_, config, channels, nodefaults);
        return install;
    }

    Result<std::string> carry_out(Session& session, const InstallRequest& install, const ImageRequest& request,
                                  Progress& progress) const {
        TAIPAN_CHECK(check_image_request(session, request));
        TAIPAN_TRY(const Plan plan, make_plan(session, install));
        for (const auto& warning : plan.warnings) session.sink().note(Severity::warning, warning);
        if (common_.dry_run) return json_ ? dry_document(plan) : plan_text(plan, 0);
        const auto missing = static_cast<std::uint64_t>(
            std::count_if(plan.link.begin(), plan.link.end(),
                          [](const PlannedPackage& package) { return package.cached == CacheState::missing; }));
        progress.expect(Stage::fetch, missing, plan.download_bytes());
        TAIPAN_TRY(const ImageReport report, make_image(session, plan, request));
        if (json_) return document(report, request);
        std::string text = summary(report, request, plan.link.size());
        if (!session.config().quiet) text += progress.summary() + "\n";
        return text;
    }

    static std::string summary(const ImageReport& report, const ImageRequest& request, std::size_t packages) {
        const auto made = std::count_if(report.layers.begin(), report.layers.end(),
                                        [](const ImageReport::Layer& layer) { return !layer.cached; });
        std::string text = fmt::format("{}: {} in {}, {} made now", request.output, counted(packages, "package"),
                                       counted(report.layers.size(), "layer"), made);
        if (report.base_layers > 0) text += fmt::format(", upon {}", counted(report.base_layers, "layer"));
        text += fmt::format("; {}\nsha256:{}\n", human_bytes(report.size), report.manifest_sha256);
        return text;
    }

    static std::string dry_document(const Plan& plan) {
        JsonWriter json;
        json.begin_object().member("dry_run", true).key("packages").begin_array();
        for (const auto& package : plan.link) json.value(package.record.dist_string());
        return json.end_array().member("success", true).end_object().take() + "\n";
    }

    static std::string document(const ImageReport& report, const ImageRequest& request) {
        JsonWriter json;
        json.begin_object().key("image").begin_object();
        json.member("base_layers", report.base_layers).member("digest", "sha256:" + report.manifest_sha256);
        json.key("layers").begin_array();
        for (const auto& layer : report.layers) {
            json.begin_object().member("cached", layer.cached).member("digest", "sha256:" + layer.sha256);
            json.member("packages", layer.packages).member("size", layer.size).end_object();
        }
        json.end_array().member("path", request.output).member("prefix", request.prefix);
        json.member("size", report.size).member("tag", request.tag).end_object();
        return json.member("success", true).end_object().take() + "\n";
    }

    CommonOptions common_;
    RecordingOptions recording_;
    ImageOptions image_;
    RequestFileOptions files_;
    std::vector<std::string> specs_, slim_exclude_, slim_keep_;
    std::string slim_;
    bool json_ = false;
};

} // namespace

std::unique_ptr<Command> make_image() { return std::make_unique<Image>(); }

} // namespace taipan::cli
