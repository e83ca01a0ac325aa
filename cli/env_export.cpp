#include <algorithm>

#include "base/filesystem.hpp"
#include "base/json_writer.hpp"
#include "config/expand.hpp"
#include "explicit_list.hpp"
#include "pip_packages.hpp"
#include "prefix/environment_variables.hpp"
#include "prefix/history.hpp"
#include "prefix/prefix_data.hpp"
#include "target_prefix.hpp"
#include "yaml_text.hpp"

// `env export` (conda-spec 9.4): an environment as environment.yml, exact or as it was asked for.

namespace taipan::cli {

namespace {

/// The content of the file, before it becomes YAML or JSON.
struct Exported {
    std::string name, prefix;
    std::vector<std::string> channels, dependencies, pip;
    std::map<std::string, std::string> variables;
};

std::string as_yaml(const Exported& content) {
    std::string text = "name: " + yaml_scalar(content.name) + '\n';
    if (!content.channels.empty()) text += "channels:\n";
    for (const auto& channel : content.channels) text += "  - " + yaml_scalar(channel) + '\n';
    text += content.dependencies.empty() && content.pip.empty() ? "dependencies: []\n" : "dependencies:\n";
    for (const auto& dependency : content.dependencies) text += "  - " + yaml_scalar(dependency) + '\n';
    if (!content.pip.empty()) text += "  - pip:\n";
    for (const auto& line : content.pip) text += "      - " + yaml_scalar(line) + '\n';
    if (!content.variables.empty()) text += "variables:\n";
    for (const auto& [name, value] : content.variables)
        text += "  " + yaml_scalar(name) + ": " + yaml_scalar(value) + '\n';
    return text + "prefix: " + yaml_scalar(content.prefix) + '\n';
}

std::string as_json(const Exported& content) {
    JsonWriter json;
    json.begin_object();
    json.member("name", content.name);
    if (!content.channels.empty()) json.member("channels", content.channels);
    json.key("dependencies").begin_array();
    for (const auto& dependency : content.dependencies) json.value(dependency);
    if (!content.pip.empty()) json.begin_object().member("pip", content.pip).end_object();
    json.end_array();
    if (!content.variables.empty()) {
        json.key("variables").begin_object();
        for (const auto& [name, value] : content.variables) json.member(name, value);
        json.end_object();
    }
    json.member("prefix", content.prefix);
    return json.end_object().take() + '\n';
}

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
            {"-f,--file", &file_, "FILE", "write to this file; its extension says in which format", group},
            {"--format", &format_, "NAME", "environment-yaml, environment-json, explicit or requirements", group},
            {"-e,--explicit", &explicit_, {}, "as URLs, with MD5 hashes", group},
            {"--md5", &md5_, {}, {}, group},
            {"--no-md5", &md5_, {}, "with --explicit: without hashes", group, false},
        };
        append(options, common_.prefix_options());
        append(options, common_.output_options());
        append(options, common_.config_options());
        return options;
    }
    [[nodiscard]] std::string usage_error() const override {
        if (!format_.empty() && !format_named(format_)) {
            return "--format knows environment-yaml (yaml, yml), environment-json (json), explicit and requirements "
                   "(reqs, txt), not '" +
                   format_ + "'";
        }
        return common_.usage_error();
    }
    [[nodiscard]] bool wants_json() const override { return common_.json.value_or(false); }

    Result<int> run(Invocation& invocation) override {
        TAIPAN_TRY(auto config, load_settings(invocation, common_));
        TAIPAN_TRY(const auto prefix, resolve_target(invocation, common_, config, WithoutTarget::active_or_root));
        TAIPAN_CHECK(require_environment(prefix));
        TAIPAN_TRY(const auto text, exported(prefix, config));
        if (file_.empty()) {
            invocation.console.print(text);
        } else {
            TAIPAN_CHECK(
                write_file_atomic(absolute_path(expand_home(file_, config.home), config.working_directory), text));
        }
        return exit_success;
    }

private:
    enum class Format { yaml, json, explicit_urls, requirements };

    static std::optional<Format> format_named(std::string_view name) {
        if (name == "environment-yaml" || name == "yaml" || name == "yml" || name == "env.yml") return Format::yaml;
        if (name == "environment-json" || name == "json") return Format::json;
        if (name == "explicit") return Format::explicit_urls;
        if (name == "requirements" || name == "reqs" || name == "txt") return Format::requirements;
        return std::nullopt;
    }

    [[nodiscard]] Format format(const Config& config) const {
        if (explicit_) return Format::explicit_urls;
        if (!format_.empty()) return *format_named(format_);
        if (file_.ends_with(".json") || (file_.empty() && config.json)) return Format::json;
        if (file_.ends_with(".txt")) {
            const auto name = file_.substr(file_.rfind('/') + 1);
            return name.starts_with("explicit") ? Format::explicit_urls : Format::requirements;
        }
        return Format::yaml;
    }

    Result<std::string> exported(const std::string& prefix, const Config& config) const {
        const auto wanted = format(config);
        if (wanted == Format::yaml || wanted == Format::json) {
            TAIPAN_TRY(const auto content, gather(prefix, config));
            return wanted == Format::json ? as_json(content) : as_yaml(content);
        }
        TAIPAN_TRY(const auto data, load_prefix(prefix, RecordDetail::identity, config.channel_settings));
        TAIPAN_TRY(const auto from_pip, pip_packages(data));
        if (wanted == Format::explicit_urls) {
            if (!from_pip.empty() && format_ == "explicit") {
                return make_error(ErrorCode::invalid_argument, "the environment has packages that pip installed (" +
                                                                   from_pip.front().name +
                                                                   "); a list of URLs cannot name them");
            }
            return explicit_list(data, config.subdir, md5_.value_or(explicit_) ? ListHash::md5 : ListHash::none);
        }
        return requirements(data, config.subdir);
    }

    static std::string requirements(const PrefixData& data, const std::string& subdir) {
        std::string text = list_header(subdir) + "# Note: This is a conda requirements file (MatchSpec format)\n"
                                                 "# Contains conda package specifications, not pip requirements\n\n";
        for (const auto& record : data.records) {
            const auto& package = record.package;
            const auto channel = package.channel_name.find("://") == std::string::npos
                                     ? package.channel_name
                                     : bare_channel_name(package.channel);
            text += channel + "::" + package.name + "==" + package.version + '=' + package.build + '\n';
        }
        return text;
    }

    Result<Exported> gather(const std::string& prefix, const Config& config) const {
        Exported content;
        content.prefix = prefix;
        content.name = environment_name(prefix, config);
        if (content.name.empty()) content.name = prefix;
        TAIPAN_TRY(const auto data, load_prefix(prefix, RecordDetail::identity, config.channel_settings));
        if (from_history_) {
            TAIPAN_CHECK(add_requests(data, config, content));
        } else {
            TAIPAN_CHECK(add_packages(data, content));
        }
        for (const auto& channel : request_channels(common_, config, {}, false)) {
            add_unique(content.channels, canonical_channel_name(channel, config.channel_settings));
        }
        if (ignore_channels_) content.channels.clear();
        TAIPAN_TRY(content.variables, state_variables(prefix));
        std::erase_if(content.variables, [](const auto& variable) { return variable.second == unset_marker; });
        return content;
    }

    static Result<void> add_requests(const PrefixData& data, const Config& config, Exported& content) {
        TAIPAN_TRY(const auto blocks, load_history(data.prefix));
        std::set<std::string> installed;
        for (const auto& record : data.records) installed.insert(record.package.name);
        const auto specs = requested_specs(blocks, installed, config.channel_settings);
        for (const auto& name : request_order(blocks)) {
            if (const auto spec = specs.find(name); spec != specs.end()) {
                content.dependencies.push_back(spec->second.to_string());
            }
        }
        return {};
    }

    Result<void> add_packages(const PrefixData& data, Exported& content) const {
        for (const auto& record : data.records) {
            const auto& package = record.package;
            content.dependencies.push_back(package.name + '=' + package.version +
                                           (no_builds_ ? std::string() : '=' + package.build));
            add_unique(content.channels, package.channel_name);
        }
        TAIPAN_TRY(const auto from_pip, pip_packages(data));
        for (const auto& package : from_pip) content.pip.push_back(package.name + "==" + package.version);
        return {};
    }

    CommonOptions common_;
    std::string file_, format_;
    std::optional<bool> md5_;
    bool explicit_ = false;
    bool no_builds_ = false, from_history_ = false, ignore_channels_ = false;
};

} // namespace

std::unique_ptr<Command> make_env_export() { return std::make_unique<EnvExport>(); }

} // namespace taipan::cli
