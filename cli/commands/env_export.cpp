#include <algorithm>

#include "base/filesystem.hpp"
#include "base/json_writer.hpp"
#include "config/expand.hpp"
#include "prefix/environment_variables.hpp"
#include "prefix/history.hpp"
#include "prefix/pip_packages.hpp"
#include "prefix/prefix_data.hpp"
#include "requests/target_prefix.hpp"
#include "screen/explicit_list.hpp"
#include "screen/export_formats.hpp"
#include "solve/topological.hpp"

// `env export` and `export` (conda-spec 9.4): an environment as a file, exact or as it was asked for.

namespace taipan::cli {

namespace {

/// The names of the history's requests in the order in which they were first made and not removed since.
std::vector<std::string> request_order(const std::vector<HistoryBlock>& blocks) {
    std::vector<std::string> names;
    const auto name_of = [](const std::string& text) {
        const auto spec = MatchSpec::parse(text);
        return spec ? spec->name() : std::string();
    };
    for (const auto& block : blocks) {
        for (const auto& text : block.remove_specs) std::erase(names, name_of(text));
        for (const auto* list : {&block.update_specs, &block.neutered_specs}) {
            for (const auto& text : *list) {
                const auto name = name_of(text);
                if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
            }
        }
    }
    return names;
}

void add_unique(std::vector<std::string>& list, const std::string& item) {
    if (std::find(list.begin(), list.end(), item) == list.end()) list.push_back(item);
}

class EnvExport final : public Command {
public:
    Options options() override {
        const std::string group = "Export";
        Options options = {
            {"--no-builds,--no-build", &no_builds_, {}, "leave out the build strings", group},
            {"--from-history", &from_history_, {}, "only what was asked for", group},
            {"--ignore-channels", &ignore_channels_, {}, "leave out the channels", group},
            {"-c,--channel", &common_.channels, "CHANNEL", "add a channel", group},
            {"-O,--override-channels", &common_.override_channels, {}, "leave out the configured channels", group},
            {"-f,--file", &file_, "FILE", "write to this file; its name tells the format, unless --format does", group},
            {"--format", &format_, "NAME", "environment-yaml, environment-json, explicit or requirements", group},
            {"-e,--explicit", &explicit_, {}, "as URLs, with MD5 hashes", group},
            {"--md5", &md5_, {}, "add the MD5 hashes", group},
            {"--channel-subdir", &channel_subdir_, {}, "name channel and subdir of each package", group},
            {"--no-md5", &md5_, {}, "with --explicit: without hashes", group, false},
        };
        append(options, common_.prefix_options());
        append(options, common_.output_options());
        append(options, common_.config_options());
        return options;
    }
    [[nodiscard]] std::string usage_error() const override {
        if (!format_.empty() && !export_format_named(format_)) {
            return "there is no export format '" + format_ +
                   "'; use environment-yaml, environment-json, explicit or requirements";
        }
        return common_.usage_error();
    }
    [[nodiscard]] bool wants_json() const override { return common_.json.value_or(false); }

    Result<int> run(Invocation& invocation) override {
        TAIPAN_TRY(auto config, load_settings(invocation, common_));
        TAIPAN_TRY(const auto prefix, resolve_target(invocation, common_, config, WithoutTarget::active_or_root));
        TAIPAN_CHECK(require_environment(prefix));
        if (explicit_) return list_urls(invocation, prefix, config);
        TAIPAN_TRY(const auto format, wanted_format(config));
        TAIPAN_TRY(auto content, gather(prefix, config, invocation.role()));
        content.shows_no_channels = as_mamba(invocation.role());
        TAIPAN_TRY(const auto text, export_text(content, format));
        if (!content.pip.empty() && !config.quiet) invocation.console.print_error(warning(content.pip));
        if (file_.empty()) {
            invocation.console.print(text);
            return exit_success;
        }
        TAIPAN_CHECK(write_file_atomic(absolute_path(expand_home(file_, config.home), config.working_directory), text));
        if (config.json) {
            JsonWriter json;
            json.begin_object().member("success", true).member("file", file_).member("format", name_of(format));
            json.key("warnings").begin_array();
            if (!content.pip.empty()) json.value(warning(content.pip));
            invocation.console.print(json.end_array().end_object().take() + '\n');
        }
        return exit_success;
    }

private:
    /// micromamba's form, which leaves pip's packages out.
    Result<int> list_urls(Invocation& invocation, const std::string& prefix, const Config& config) const {
        TAIPAN_TRY(const auto data, load_prefix(prefix, RecordDetail::identity, config.channel_settings));
        const auto text = explicit_list(data, config.subdir, md5_.value_or(true) ? ListHash::md5 : ListHash::none);
        if (file_.empty())
            invocation.console.print(text);
        else
            TAIPAN_CHECK(
                write_file_atomic(absolute_path(expand_home(file_, config.home), config.working_directory), text));
        return exit_success;
    }

    [[nodiscard]] Result<ExportFormat> wanted_format(const Config& config) const {
        if (!format_.empty()) return *export_format_named(format_); // see usage_error
        if (!file_.empty()) {
            if (const auto format = export_format_of_file(file_)) return *format;
            return make_error(ErrorCode::invalid_argument,
                              "the name '" + file_ +
                                  "' does not tell the format; say "
                                  "--format environment-yaml, environment-json, explicit or "
                                  "requirements");
        }
        return config.json ? ExportFormat::json : ExportFormat::yaml;
    }

    static std::string warning(const std::vector<std::string>& pip) {
        std::string text = "warning: the environment has packages that pip installed; other packages may come in their "
                           "place when it is made again:\n";
        for (const auto& line : pip) text += "  - " + line + '\n';
        return text;
    }

    Result<ExportedEnvironment> gather(const std::string& prefix, const Config& config, Role role) const {
        ExportedEnvironment content;
        content.prefix = prefix;
        content.platform = config.subdir;
        content.name = environment_name(prefix, config);
        if (content.name.empty()) content.name = prefix;
        TAIPAN_TRY(const auto data, load_prefix(prefix, RecordDetail::identity, config.channel_settings));
        if (from_history_) {
            TAIPAN_CHECK(add_requests(data, config, content));
            for (const auto& record :
                 data.records) { // to mamba they are those of what is installed, as without history
                if (as_mamba(role) && !ignore_channels_) add_unique(content.channels, record.package.channel_name);
            }
        } else {
            TAIPAN_CHECK(add_packages(data, content));
        }
        Config named = config; // what is searched without being named is no part of the environment
        named.last_resort_channels.clear();
        for (const auto& channel : request_channels(common_, named, {}, false)) {
            add_unique(content.channels, canonical_channel_name(channel, config.channel_settings));
        }
        content.packages = topological_sort(data.packages());
        TAIPAN_TRY(content.variables, state_variables(prefix));
        std::erase_if(content.variables, [](const auto& variable) { return variable.second == unset_marker; });
        return content;
    }

    static Result<void> add_requests(const PrefixData& data, const Config& config, ExportedEnvironment& content) {
        TAIPAN_TRY(const auto blocks, load_history(data.prefix));
        std::set<std::string> installed;
        for (const auto& record : data.records) installed.insert(record.package.name);
        const auto specs = requested_specs(blocks, installed, config.channel_settings);
        for (const auto& name : request_order(blocks)) {
            if (const auto spec = specs.find(name); spec != specs.end()) {
                content.requests.push_back(spec->second.to_string());
            }
        }
        return {};
    }

    /// `conda-forge/linux-64::numpy=1.26=py_0[md5=...]`, which mamba reads back.
    [[nodiscard]] std::string mamba_spec(const PackageRecord& package) const {
        std::string spec = channel_subdir_ ? package.channel_name + '/' + package.subdir + "::" : std::string();
        spec += package.name + '=' + package.version;
        if (!no_builds_) spec += '=' + package.build;
        if (md5_.value_or(false) && !package.md5.empty()) spec += "[md5=" + package.md5 + ']';
        return spec;
    }

    Result<void> add_packages(const PrefixData& data, ExportedEnvironment& content) const {
        for (const auto& record : data.records) {
            const auto& package = record.package;
            const std::string channel = bare_channel_name(package.channel);
            if (md5_.value_or(false) || channel_subdir_) {
                content.as_written = true;
                content.requests.push_back(mamba_spec(package));
                if (!ignore_channels_) add_unique(content.channels, package.channel_name);
                continue;
            }
            content.requests.push_back(
                (ignore_channels_ || channel.empty() ? "" : channel + "::") + package.name +
                (no_builds_ ? '=' + package.version : "==" + package.version + '=' + package.build));
            if (!ignore_channels_) add_unique(content.channels, package.channel_name);
        }
        TAIPAN_TRY(const auto from_pip, pip_packages(data));
        for (const auto& package : from_pip) content.pip.push_back(package.name + "==" + package.version);
        return {};
    }

    CommonOptions common_;
    std::string file_, format_;
    std::optional<bool> md5_;
    bool explicit_ = false, channel_subdir_ = false;
    bool no_builds_ = false, from_history_ = false, ignore_channels_ = false;
};

} // namespace

std::unique_ptr<Command> make_env_export() { return std::make_unique<EnvExport>(); }

} // namespace taipan::cli
