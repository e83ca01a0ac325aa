#include <algorithm>

#include "base/filesystem.hpp"
#include "base/json_writer.hpp"
#include "config/expand.hpp"
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
            {"--override-channels", &common_.override_channels, {}, "leave out the configured channels", group},
            {"-f,--file", &file_, "FILE", "write to this file; .json makes it JSON", group},
        };
        append(options, common_.prefix_options());
        append(options, common_.output_options());
        append(options, common_.config_options());
        return options;
    }
    [[nodiscard]] std::string usage_error() const override { return common_.usage_error(); }

    Result<int> run(Invocation& invocation) override {
        TAIPAN_TRY(auto config, load_settings(invocation, common_));
        TAIPAN_TRY(const auto prefix, resolve_target(invocation, common_, config, WithoutTarget::active_or_root));
        TAIPAN_CHECK(require_environment(prefix));
        TAIPAN_TRY(const auto content, gather(prefix, config));
        const bool json = config.json || file_.ends_with(".json");
        const auto text = json ? as_json(content) : as_yaml(content);
        if (file_.empty()) {
            invocation.console.print(text);
        } else {
            TAIPAN_CHECK(
                write_file_atomic(absolute_path(expand_home(file_, config.home), config.working_directory), text));
        }
        return exit_success;
    }

private:
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
    std::string file_;
    bool no_builds_ = false, from_history_ = false, ignore_channels_ = false;
};

} // namespace

std::unique_ptr<Command> make_env_export() { return std::make_unique<EnvExport>(); }

} // namespace taipan::cli
