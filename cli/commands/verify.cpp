#include "flow/verify.hpp"
#include "base/json_writer.hpp"
#include "prefix/prefix_data.hpp"
#include "program/common_options.hpp"
#include "program/fault_point.hpp"
#include "requests/target_prefix.hpp"
#include "screen/text.hpp"
#include "screen/watched_run.hpp"

// `verify`: is an environment what its records say? Exit code 0 when it is (or is again, with --repair), else 1.

namespace taipan::cli {

namespace {

void add_strings(JsonWriter& json, std::string_view key, const std::vector<std::string>& values) {
    json.key(key).begin_array();
    for (const auto& value : values) json.value(value);
    json.end_array();
}

std::string lines(const std::string& what, const std::vector<std::string>& paths) {
    std::string text;
    for (const auto& path : paths) text += "    " + what + path + '\n';
    return text;
}

class Verify final : public Command {
public:
    Options options() override {
        const std::string group = "Verifying";
        Options options = {
            {"--repair", &repair_, {}, "bring back missing and modified files, from the cache or the channel", group},
            {"--offline", &common_.offline, {}, "repair from the cache only", group},
        };
        append(options, common_.prefix_options());
        append(options, common_.output_options());
        append(options, common_.config_options());
        return options;
    }
    [[nodiscard]] std::string usage_error() const override { return common_.usage_error(); }
    [[nodiscard]] bool wants_json() const override { return common_.json.value_or(false); }

    Result<int> run(Invocation& invocation) override {
        TAIPAN_TRY(auto config, load_settings(invocation, common_));
        TAIPAN_TRY(const auto prefix, resolve_target(invocation, common_, config, WithoutTarget::active_or_root));
        TAIPAN_CHECK(require_environment(prefix));
        TAIPAN_TRY(config, load_settings_for_prefix(invocation, common_, prefix, std::move(config)));
        if (repair_) TAIPAN_CHECK(require_writable(prefix));
        json_ = config.json;
        Console& console = invocation.console;
        WatchedRun watched(console, config.quiet, config.verbosity);
        Session session(std::move(config), *watched.progress, watched.stop);
        session.set_fault_point(fault_point_of(invocation));
        TAIPAN_TRY(VerifyReport report, verify_prefix(session, prefix));
        const VerifyReport before = report;
        if (repair_ && !before.sound()) {
            TAIPAN_TRY(const auto repaired, repair_prefix(session, prefix, before, invocation.command_line()));
            for (const auto& message : repaired.messages) session.sink().note(Severity::info, message);
            TAIPAN_TRY(report, verify_prefix(session, prefix));
        }
        watched.progress->finish();
        console.print(json_ ? document(prefix, before, report) : text(prefix, before, report));
        return report.sound() ? exit_success : exit_failure;
    }

private:
    [[nodiscard]] std::string text(const std::string& prefix, const VerifyReport& before,
                                   const VerifyReport& after) const {
        std::string text;
        for (const auto& record : before.broken_records) {
            text += "conda-meta/" + record.file_name + " is no record: " + record.reason + '\n';
        }
        for (const auto& damaged : before.damaged) {
            text += damaged.package.dist_name() + ":\n" + lines("missing   ", damaged.findings.missing) +
                    lines("modified  ", damaged.findings.modified);
        }
        if (common_.verbose > 0 && !before.extra.empty()) {
            text += "files of no package:\n" + lines("", before.extra);
        }
        if (common_.quiet.value_or(false) && before.sound()) return text;
        text += counted(before.packages, "package") + ", " + counted(before.files, "file") + " (" +
                human_bytes(before.bytes) + " read) in " + prefix + ": ";
        text += before.sound() ? "as recorded" : after.sound() ? "repaired" : "not as recorded";
        if (!before.extra.empty()) {
            text += "; " + counted(before.extra.size(), "file") + " of no package" +
                    (common_.verbose > 0 ? "" : " (-v lists them)");
        }
        text += '\n';
        if (after.sound()) return text;
        return text + (repair_ ? "Some of it could not be repaired; install these packages again with "
                                 "--force-reinstall.\n"
                               : "`taipan verify --repair` brings the files back.\n");
    }

    [[nodiscard]] std::string document(const std::string& prefix, const VerifyReport& before,
                                       const VerifyReport& after) const {
        JsonWriter json;
        json.begin_object();
        json.member("prefix", prefix).member("success", after.sound());
        json.member("repaired", repair_ && !before.sound() && after.sound());
        json.key("packages").begin_array();
        for (const auto& damaged : before.damaged) {
            json.begin_object();
            json.member("dist_name", damaged.package.dist_name()).member("name", damaged.package.name);
            add_strings(json, "missing", damaged.findings.missing);
            add_strings(json, "modified", damaged.findings.modified);
            json.end_object();
        }
        json.end_array();
        json.key("records").begin_array();
        for (const auto& record : before.broken_records) {
            json.begin_object();
            json.member("file", "conda-meta/" + record.file_name).member("reason", record.reason);
            json.end_object();
        }
        json.end_array();
        add_strings(json, "extra", before.extra);
        json.key("checked").begin_object();
        json.member("packages", before.packages).member("files", before.files).member("bytes", before.bytes);
        json.end_object();
        return json.end_object().take() + "\n";
    }

    CommonOptions common_;
    bool repair_ = false, json_ = false;
};

} // namespace

std::unique_ptr<Command> make_verify() { return std::make_unique<Verify>(); }

} // namespace taipan::cli
