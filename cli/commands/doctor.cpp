#include <algorithm>
#include <array>

#include "base/filesystem.hpp"
#include "base/json_writer.hpp"
#include "config/expand.hpp"
#include "flow/verify.hpp"
#include "model/match_spec.hpp"
#include "prefix/frozen.hpp"
#include "prefix/prefix_data.hpp"
#include "prefix/registry.hpp"
#include "program/common_options.hpp"
#include "program/fault_point.hpp"
#include "requests/target_prefix.hpp"
#include "screen/text.hpp"
#include "screen/watched_run.hpp"
#include "solve/virtual_packages.hpp"

// `doctor` (and `check`): a health report of an environment, by conda's names of checks. Like conda's it ends with exit
// code 0 whatever it finds; `verify` is for those who want to know by exit code.

namespace taipan::cli {

namespace {

struct Check {
    std::string_view name, summary, fix;
};

constexpr std::array<Check, 6> checks = {{
    {"altered-files", "Detect packages with modified files", "Bring the files back"},
    {"consistency", "Check for missing or inconsistent dependencies", ""},
    {"environment-txt", "Verify environment is registered in environments.txt", "Add environment to environments.txt"},
    {"file-locking", "Check if file locking is supported", ""},
    {"missing-files", "Detect packages with missing files", "Bring the files back"},
    {"pinned", "Validate format of the pinned file", ""},
}};

struct Finding {
    std::string good, bad; ///< what is said when nothing is found, and the heading of what is
    std::vector<std::string> lines;
};

class Doctor final : public Command {
public:
    Options options() override {
        const std::string group = "Checking";
        Options options = {{"checks", &words_, "NAME", "only these checks", group},
                           {"--list", &list_, {}, "list the checks", group},
                           {"--fix,--heal", &fix_, {}, "mend what can be mended", group}};
        append(options, common_.prefix_options());
        append(options, common_.output_options());
        append(options, common_.consent_options());
        append(options, common_.config_options());
        append(options, {{"--offline", &common_.offline, {}, "mend from the cache only", group}});
        return options;
    }
    [[nodiscard]] std::string usage_error() const override {
        for (const auto& word : words_) {
            const bool known =
                std::any_of(checks.begin(), checks.end(), [&](const auto& one) { return one.name == word; });
            if (!known) return "there is no check '" + word + "'; `taipan doctor --list` lists them";
        }
        return common_.usage_error();
    }
    [[nodiscard]] bool wants_json() const override { return common_.json.value_or(false); }

    Result<int> run(Invocation& invocation) override {
        Console& console = invocation.console;
        if (list_) {
            console.print("Available health checks:\n\n");
            for (const auto& check : checks) {
                console.print("  " + std::string(check.name) + ": " + std::string(check.summary) +
                              (check.fix.empty() ? "" : " (fix: " + std::string(check.fix) + ')') + '\n');
            }
            console.print("\n");
            return exit_success;
        }
        TAIPAN_TRY(auto config, load_settings(invocation, common_));
        TAIPAN_TRY(const auto prefix, resolve_target(invocation, common_, config, WithoutTarget::active_or_root));
        TAIPAN_CHECK(require_environment(prefix));
        TAIPAN_TRY(config, load_settings_for_prefix(invocation, common_, prefix, std::move(config)));
        const bool fix = fix_ && !common_.dry_run;
        if (fix) {
            if (config.protect_frozen_envs) TAIPAN_CHECK(require_not_frozen(prefix));
            TAIPAN_CHECK(require_writable(prefix));
        }
        WatchedRun watched(console, config.quiet, config.verbosity);
        Session session(config, *watched.progress, watched.stop);
        session.set_fault_point(fault_point_of(invocation));
        TAIPAN_TRY(auto findings, examine(session, prefix));
        watched.progress->finish();
        console.print(config.json ? document(prefix, findings)
                                  : text(prefix, findings, console.terminal().unicode, config.verbosity > 0));
        if (fix) TAIPAN_CHECK(mend(session, invocation, prefix));
        return exit_success;
    }

private:
    using Findings = std::vector<std::pair<std::string_view, Finding>>;

    [[nodiscard]] bool wanted(std::string_view name) const {
        return words_.empty() || std::find(words_.begin(), words_.end(), name) != words_.end();
    }

    Result<Findings> examine(Session& session, const std::string& prefix) {
        const Config& config = session.config();
        Findings findings;
        const bool files = wanted("altered-files") || wanted("missing-files");
        if (files) {
            TAIPAN_TRY(report_, verify_prefix(session, prefix));
        }
        TAIPAN_TRY(const auto data, load_prefix(prefix, RecordDetail::identity, config.channel_settings));
        for (const auto& check : checks) {
            if (!wanted(check.name)) continue;
            Finding finding;
            if (check.name == "altered-files") {
                finding =
                    files_of("There are no packages with altered files.", "Altered Files:", &FileFindings::modified);
            } else if (check.name == "missing-files") {
                finding =
                    files_of("There are no packages with missing files.", "Missing Files:", &FileFindings::missing);
            } else if (check.name == "consistency") {
                finding = consistency(data, config);
            } else if (check.name == "environment-txt") {
                TAIPAN_TRY(finding, registration(prefix, config));
            } else if (check.name == "file-locking") {
                finding = locking(config);
            } else {
                TAIPAN_TRY(finding, pins(prefix));
            }
            findings.emplace_back(check.name, std::move(finding));
        }
        return findings;
    }

    [[nodiscard]] Finding files_of(std::string good, std::string bad,
                                   std::vector<std::string> FileFindings::*which) const {
        Finding finding{std::move(good), std::move(bad), {}};
        for (const auto& damaged : report_.damaged) {
            const auto& paths = damaged.findings.*which;
            if (paths.empty()) continue;
            finding.lines.push_back(damaged.package.dist_name() + ": " + std::to_string(paths.size()));
            if (common_.verbose == 0) continue;
            for (const auto& path : paths) finding.lines.push_back("  " + path);
        }
        return finding;
    }

    static Finding consistency(const PrefixData& data, const Config& config) {
        Finding finding{"The environment is consistent.", "The environment is not consistent.", {}};
        auto present = data.packages();
        for (const auto& package : detect_virtual_packages(config.subdir, config.environment)) {
            PackageRecord record;
            record.name = package.name;
            record.version = package.version;
            record.build = package.build;
            present.push_back(std::move(record));
        }
        for (const auto& record : data.records) {
            for (const auto& text : record.package.depends) {
                const auto spec = MatchSpec::parse(text);
                const bool met = !spec || std::any_of(present.begin(), present.end(), [&](const auto& one) {
                    return spec->matches_name(one.name) && spec->matches(one);
                });
                if (!met) finding.lines.push_back(record.package.name + ": needs " + text);
            }
        }
        return finding;
    }

    static Result<Finding> registration(const std::string& prefix, const Config& config) {
        Finding finding{"The environment is listed in the environments.txt file.",
                        "The environment is not listed in the environments.txt file.",
                        {}};
        TAIPAN_TRY(const auto registered, registered_environments(config.home));
        const bool listed = std::find(registered.begin(), registered.end(), prefix) != registered.end();
        if (!listed && prefix != config.root_prefix) finding.lines.push_back(config.home + "/.conda/environments.txt");
        return finding;
    }

    static Finding locking(const Config& config) {
        Finding finding{"File locking is supported.", "File locking is not supported.", {}};
        const auto path = config.pkgs_dirs.front() + "/.taipan-doctor.lock";
        if (!exists(config.pkgs_dirs.front())) return finding; // nothing that could be locked yet
        const auto lock = FileLock::acquire(path, 5);
        if (!lock) finding.lines.push_back(lock.error().message);
        static_cast<void>(remove_tree(path));
        return finding;
    }

    static Result<Finding> pins(const std::string& prefix) {
        const auto path = prefix + "/conda-meta/pinned";
        Finding finding{"No pinned specs found in " + path + ".", "Pinned specs that are no specs:", {}};
        if (!exists(path)) return finding;
        TAIPAN_TRY(const auto content, read_file(path, 1U << 20U));
        std::size_t pinned = 0;
        for (const auto line : split_words(content, '\n')) {
            const auto word = trimmed(line);
            if (word.empty() || word.front() == '#') continue;
            ++pinned;
            if (!MatchSpec::parse(word)) finding.lines.emplace_back(word);
        }
        if (pinned > 0) finding.good = "The pinned file in " + path + " is fine.";
        return finding;
    }

    static std::string text(const std::string& prefix, const Findings& findings, bool unicode, bool) {
        std::string text = "Environment Health Report for: " + prefix + "\n\n";
        for (const auto& [name, finding] : findings) {
            const bool good = finding.lines.empty();
            text += (good ? (unicode ? "✅ " : "ok: ") : (unicode ? "❌ " : "wrong: ")) +
                    (good ? finding.good : finding.bad) + '\n';
            if (!good) text += '\n';
            for (const auto& line : finding.lines) text += line + '\n';
            text += '\n';
        }
        return text;
    }

    static std::string document(const std::string& prefix, const Findings& findings) {
        JsonWriter json;
        json.begin_object();
        json.member("prefix", prefix);
        json.key("checks").begin_object();
        for (const auto& [name, finding] : findings) {
            json.key(name).begin_object();
            json.member("healthy", finding.lines.empty());
            json.member("findings", finding.lines);
            json.end_object();
        }
        json.end_object();
        return json.end_object().take() + "\n";
    }

    Result<void> mend(Session& session, Invocation& invocation, const std::string& prefix) {
        if (!report_.sound()) {
            TAIPAN_TRY(const auto repaired, repair_prefix(session, prefix, report_, invocation.command_line()));
            for (const auto& message : repaired.messages) session.sink().note(Severity::info, message);
        }
        if (wanted("environment-txt") && prefix != session.config().root_prefix) {
            TAIPAN_CHECK(register_environment(session.config().home, prefix));
        }
        return {};
    }

    CommonOptions common_;
    std::vector<std::string> words_;
    VerifyReport report_;
    bool list_ = false, fix_ = false;
};

} // namespace

std::unique_ptr<Command> make_doctor() { return std::make_unique<Doctor>(); }

} // namespace taipan::cli
