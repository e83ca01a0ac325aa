#include <algorithm>
#include <map>

#include <fmt/format.h>

#include "flow/package_source.hpp"
#include "flow/plan_channels.hpp"
#include "prefix/prefix_data.hpp"
#include "program/common_options.hpp"
#include "program/errors.hpp"
#include "requests/known_environments.hpp"
#include "screen/package_json.hpp"
#include "screen/record_text.hpp"
#include "screen/watched_run.hpp"
#include "solve/query.hpp"

// `search`, in conda's forms: a table, `--info` with a block for each package, `--json` with a list for each name.

namespace taipan::cli {

namespace {

std::string listed(const std::vector<std::string>& items) {
    std::string text;
    for (const auto& item : items) text += "\n  - " + item;
    return text;
}

std::string table(const std::vector<PackageRecord>& records, const ChannelSettings& settings) {
    std::string text = fmt::format("# {:<18} {:>15} {:>15}  {:<20}\n", "Name", "Version", "Build", "Channel");
    for (const auto& record : records) {
        text += fmt::format("{:<20} {:>15} {:>15}  {:<20}\n", record.name, record.version, record.build,
                            short_channel_name(record, settings));
    }
    return text;
}

/// What matches in one environment.
struct FoundInEnvironment {
    std::string location;
    std::vector<PackageRecord> records;
};

std::string environments_table(const std::vector<FoundInEnvironment>& found, const ChannelSettings& settings) {
    std::string text =
        fmt::format("# {:<13} {:>15} {:>15}  {:<20} {:<20}\n", "Name", "Version", "Build", "Channel", "Location");
    for (const auto& environment : found) {
        for (const auto& record : environment.records) {
            text += fmt::format("{:<15} {:>15} {:>15}  {:<20} {:<20}\n", record.name, record.version, record.build,
                                short_channel_name(record, settings), environment.location);
        }
    }
    return text;
}

std::string environments_document(const std::vector<FoundInEnvironment>& found) {
    JsonWriter json;
    json.begin_array();
    for (const auto& environment : found) {
        json.begin_object().member("location", environment.location).key("package_records").begin_array();
        for (const auto& record : environment.records) write_full_record(json, record, true);
        json.end_array().end_object();
    }
    return json.end_array().take() + "\n";
}

std::string document(const std::vector<PackageRecord>& records) {
    std::map<std::string, std::vector<const PackageRecord*>> by_name;
    for (const auto& record : records) by_name[record.name].push_back(&record);
    JsonWriter json;
    json.begin_object();
    for (const auto& [name, packages] : by_name) {
        json.key(name).begin_array();
        for (const auto* package : packages) write_full_record(json, *package, true);
        json.end_array();
    }
    return json.end_object().take() + "\n";
}

/// The spec with its name open on both sides: what is looked for when nothing has exactly that name.
std::string widened(const MatchSpec& spec) {
    const std::string text = spec.to_string();
    const auto scope = text.find("::");
    const std::size_t at = text.find(spec.name(), scope == std::string::npos ? 0 : scope + 2);
    if (at == std::string::npos) return '*' + spec.name() + '*';
    return text.substr(0, at) + '*' + spec.name() + '*' + text.substr(at + spec.name().size());
}

/// What was not found, and where it was looked for, as conda says it.
struct NotFound {
    std::vector<std::string> packages, urls;

    [[nodiscard]] std::string message() const {
        if (urls.empty()) return "None of the environments has a package like:\n" + listed(packages) + "\n";
        return "The following packages are not available from current channels:\n" + listed(packages) +
               "\n\nCurrent channels:\n" + listed(urls) +
               "\n\nTo search for alternate channels that may provide the conda package you're\nlooking for, navigate "
               "to\n\n    https://anaconda.org\n\nand use the search bar at the top of the page.\n";
    }
    [[nodiscard]] std::string json(std::string_view name) const {
        JsonWriter json;
        json.begin_object().member("caused_by", "None").member("channel_urls", urls);
        json.member("channels_formatted", listed(urls));
        json.member("error", std::string(name) + ": " + message());
        json.member("exception_name", name);
        json.member("exception_type", "<class 'conda.exceptions." + std::string(name) + "'>");
        json.member("message", message()).member("packages", packages);
        json.member("packages_formatted", listed(packages));
        return json.end_object().take() + "\n";
    }
};

class Search final : public Command {
public:
    Options options() override {
        const std::string group = "Searching";
        Options options = {
            {"specs", &specs_, "SPEC", "names, globs or specs like 'numpy>=2'; everything without one", group},
            {"-i,--info,--pretty", &info_, {}, "all that the channel says of each package", group},
            {"--envs", &envs_, {}, "look in all environments of this user, not in channels", group},
            {"--skip-flexible-search",
             &exact_,
             {},
             "do not look for similar names when there is no such package",
             group},
        };
        append(options, {{"-r,--root-prefix", &common_.root_prefix, "PATH", "where the cache is kept", group}});
        append(options, common_.channel_options());
        append(options, common_.output_options());
        append(options, common_.config_options());
        return options;
    }
    [[nodiscard]] std::string usage_error() const override { return common_.usage_error(); }
    [[nodiscard]] bool wants_json() const override { return json_; }

    Result<int> run(Invocation& invocation) override {
        TAIPAN_TRY(auto config, load_settings_for_output(invocation, common_, json_));
        TAIPAN_TRY(const auto wanted, parse(config));
        if (envs_) return search_environments(invocation.console, config, invocation.role(), wanted);
        WatchedRun watched(invocation.console, config.quiet || json_, config.verbosity);
        const auto channels = request_channels(common_, config, {}, false);
        Session session(std::move(config), *watched.progress, watched.stop);
        TAIPAN_TRY(auto packages, ChannelPackages::load(session, channels, wanted));
        watched.progress->finish();
        const bool talk = !json_ && (invocation.role() == Role::conda || !session.config().quiet);
        // conda's spinner leaves this behind where it cannot spin.
        const bool spins = invocation.console.terminal().output;
        if (talk)
            invocation.console.print(spins ? "Loading channels: done\n" : "Loading channels: ...working... done\n");

        std::vector<PackageRecord> found;
        NotFound missing;
        for (const auto& spec : wanted) {
            TAIPAN_TRY(auto records, look_for(packages.source(), spec, talk ? &invocation.console : nullptr));
            if (records.empty()) missing.packages.push_back(spec.to_string());
            std::move(records.begin(), records.end(), std::back_inserter(found));
        }
        if (!missing.packages.empty() && found.empty()) {
            missing.urls = searched_urls(packages, session.config());
            return report(invocation.console, missing);
        }
        invocation.console.print(json_ ? document(found) : text(found, session.config().channel_settings));
        return exit_success;
    }

private:
    Result<int> search_environments(Console& console, const Config& config, Role role,
                                    const std::vector<MatchSpec>& wanted) const {
        std::vector<FoundInEnvironment> found;
        for (const auto& environment : known_environments(config, role)) {
            const auto data = load_prefix(environment.prefix, RecordDetail::identity, config.channel_settings);
            if (!data) {
                console.print_error("warning: " + environment.prefix + " is left out: " + data.error().message + '\n');
                continue;
            }
            FoundInEnvironment here{environment.prefix, {}};
            for (const auto& record : data->packages())
                if (std::any_of(wanted.begin(), wanted.end(), [&](const auto& spec) { return spec.matches(record); }))
                    here.records.push_back(record);
            std::sort(here.records.begin(), here.records.end(),
                      [](const auto& a, const auto& b) { return a.name < b.name; });
            if (!here.records.empty()) found.push_back(std::move(here));
        }
        if (found.empty()) {
            NotFound missing;
            for (const auto& spec : wanted) missing.packages.push_back(spec.to_string());
            return report(console, missing);
        }
        console.print(json_ ? environments_document(found) : environments_table(found, config.channel_settings));
        return exit_success;
    }

    Result<std::vector<MatchSpec>> parse(const Config& config) const {
        std::vector<MatchSpec> wanted;
        for (const auto& text : specs_.empty() ? std::vector<std::string>{"*"} : specs_) {
            TAIPAN_TRY(auto spec, MatchSpec::parse(text, config.channel_settings));
            wanted.push_back(std::move(spec));
        }
        return wanted;
    }

    Result<std::vector<PackageRecord>> look_for(CandidateSource& source, const MatchSpec& spec, Console* console) {
        TAIPAN_TRY(auto records, find_packages(source, spec));
        if (!records.empty() || exact_ || !spec.has_exact_name()) return records;
        const std::string wide = widened(spec);
        if (console != nullptr) console->print("No match found for: " + spec.to_string() + ". Search: " + wide + "\n");
        TAIPAN_TRY(const auto wider, MatchSpec::parse(wide));
        return find_packages(source, wider);
    }

    static std::vector<std::string> searched_urls(const ChannelPackages& packages, const Config& config) {
        std::vector<std::string> urls;
        for (const auto& channel : packages.channels()) {
            urls.push_back(channel.base_url + '/' + config.subdir);
            urls.push_back(channel.base_url + "/noarch");
        }
        return urls;
    }

    [[nodiscard]] int report(Console& console, const NotFound& missing) const {
        const auto name = cli::error_name(ErrorCode::package_not_found);
        if (json_)
            console.print(missing.json(name));
        else
            console.print_error(std::string("\n").append(name).append(": ").append(missing.message()).append("\n\n"));
        return exit_failure;
    }

    [[nodiscard]] std::string text(const std::vector<PackageRecord>& records, const ChannelSettings& settings) const {
        if (!info_) return table(records, settings);
        std::string text;
        for (const auto& record : records) text += record_block(record);
        return text;
    }

    CommonOptions common_;
    std::vector<std::string> specs_;
    bool info_ = false, exact_ = false, envs_ = false, json_ = false;
};

} // namespace

std::unique_ptr<Command> make_search() { return std::make_unique<Search>(); }

} // namespace taipan::cli
