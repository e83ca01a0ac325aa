#include "program/completion_values.hpp"

#include <algorithm>

#include <dirent.h>

#include "base/filesystem.hpp"
#include "prefix/prefix_data.hpp"
#include "program/common_options.hpp"
#include "program/package_names.hpp"
#include "requests/known_environments.hpp"
#include "requests/target_prefix.hpp"
#include "screen/text.hpp"
#include "shell/shell_kind.hpp"

namespace taipan::cli {

namespace {

class Values {
public:
    Values(const ValueRequest& request, const Config& config, Completion& completion)
        : request_(request), config_(config), completion_(completion) {}

    void add(std::string text, std::string description = {}) {
        if (text.starts_with(request_.typed))
            completion_.candidates.push_back({std::move(text), std::move(description)});
    }
    void environments() {
        for (const auto& environment : known_environments(config_, request_.invocation.role())) {
            if (!environment.name.empty()) add(environment.name, environment.prefix);
        }
    }
    /// Those of the index for what is to come, those of the environment for what is to go.
    void packages() {
        const auto word = request_.command.substr(0, request_.command.find(' '));
        const bool installed = word == "remove" || word == "update" || word == "list";
        for (auto& name : installed ? installed_names() : index_names(config_, request_.typed)) add(std::move(name));
        if (request_.typed.find('/') != std::string::npos) completion_.files = true;
    }
    void programs() {
        const auto folder = target() + "/bin";
        std::vector<std::string> names;
        if (DIR* stream = ::opendir(folder.c_str())) {
            while (const dirent* entry = ::readdir(stream)) {
                if (entry->d_name[0] != '.') names.emplace_back(entry->d_name);
            }
            static_cast<void>(::closedir(stream));
        }
        std::sort(names.begin(), names.end());
        for (auto& name : names) add(std::move(name));
        completion_.files = true;
    }
    void words(std::initializer_list<std::string_view> all) {
        for (const auto word : all) add(std::string(word));
    }
    void shells() {
        for (const auto name : shell_names()) add(std::string(name));
    }
    void channels() {
        for (const auto& channel : config_.channels) add(channel);
        for (const auto& [name, url] : config_.channel_settings.custom_channels) add(name);
        completion_.folders = request_.typed.find('/') != std::string::npos;
    }

private:
    std::string target() const {
        CommonOptions options;
        options.name = request_.name;
        options.prefix = request_.prefix;
        const auto prefix = resolve_target(request_.invocation, options, config_, WithoutTarget::active_or_root);
        return prefix ? *prefix : std::string();
    }
    std::vector<std::string> installed_names() const {
        std::vector<std::string> names;
        if (const auto data = load_prefix(target(), RecordDetail::identity)) {
            for (const auto& package : data->packages()) names.push_back(package.name);
        }
        return names;
    }

    const ValueRequest& request_;
    const Config& config_;
    Completion& completion_;
};

} // namespace

void add_values(const Option& option, const ValueRequest& request, Completion& completion) {
    const std::string& kind = option.value;
    if (kind == "FILE") {
        completion.files = true;
        return;
    }
    if (kind == "PATH" || kind == "ROOT_PREFIX") {
        completion.folders = true;
        return;
    }
    const auto config = load_settings(request.invocation, CommonOptions());
    if (!config) return; // it is the command's to tell
    Values values(request, *config, completion);
    if (kind == "NAME" && option.names.starts_with("-n")) values.environments();
    if (kind == "NAME_OR_PATH") {
        values.environments();
        completion.folders = request.typed.find('/') != std::string::npos || request.typed.starts_with('.');
    }
    if (kind == "SPEC") values.packages();
    if (kind == "PROGRAM") values.programs();
    if (kind == "SHELL") values.shells();
    if (kind == "CHANNEL") values.channels();
    if (kind == "SUBDIR") values.words({"linux-64", "linux-aarch64", "osx-64", "osx-arm64", "win-64", "linux-ppc64le"});
    if (option.names == "--channel-priority") values.words({"strict", "flexible", "disabled"});
}

} // namespace taipan::cli
