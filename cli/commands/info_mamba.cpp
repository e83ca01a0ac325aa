#include "commands/info_mamba.hpp"

#include <algorithm>
#include <utility>
#include <variant>

#include <fmt/format.h>

#include "base/filesystem.hpp"
#include "base/json_writer.hpp"
#include "model/channel.hpp"
#include "prefix/prefix_data.hpp"
#include "program/role.hpp"
#include "requests/target_prefix.hpp"
#include "solve/virtual_packages.hpp"

// mamba's `info` has one table, a label to a text or to a list of texts; its JSON is the same table. conda's `info` has
// other labels, and other keys in its JSON.

namespace taipan::cli {

namespace {

using Value = std::variant<std::string, std::vector<std::string>>;
using Table = std::vector<std::pair<std::string, Value>>;

/// How mamba calls an environment, and what it adds about it.
std::string told_name(const Invocation& invocation, const Config& config, const std::string& prefix) {
    auto name = environment_name(prefix, config);
    if (name.empty()) name = prefix;
    if (prefix == invocation.variable("CONDA_PREFIX")) return name + " (active)";
    if (!is_directory(prefix)) return name + " (not found)";
    if (prefix != config.root_prefix && !is_environment(prefix)) return name + " (not env)";
    return name;
}

Table table_of(const Invocation& invocation, const Config& config, const std::string& prefix) {
    const std::string program(role_name(invocation.role()));
    return {
        {"libmamba version", std::string(followed_mamba_version)},
        {program + " version", std::string(followed_mamba_version)},
        {"taipan version", std::string(TAIPAN_VERSION)},
        {"curl version", "libcurl of the system, loaded when something is downloaded"},
        {"libarchive version", "libarchive reads the members of packages; zstd, bzip2 and writing are taipan's own"},
        {"envs directories", config.envs_dirs},
        {"package cache", config.pkgs_dirs},
        {"environment", told_name(invocation, config, prefix)},
        {"env location", prefix},
        {"user config files", std::vector<std::string>{config.home + "/.mambarc"}},
        {"populated config files", config.sources},
        {"virtual packages", shown_virtual_packages(config)},
        {"channels", shown_channel_urls(config)},
        {"base environment", config.root_prefix},
        {"platform", config.subdir},
    };
}

std::string as_json(const Table& table) {
    JsonWriter json;
    json.begin_object();
    for (const auto& [label, value] : table) {
        if (const auto* text = std::get_if<std::string>(&value))
            json.member(label, *text);
        else
            json.member(label, std::get<std::vector<std::string>>(value));
    }
    return json.end_object().take() + "\n";
}

std::string as_text(const Table& table) {
    std::size_t width = 0;
    for (const auto& row : table) width = std::max(width, row.first.size() + 1);
    std::string out = "\n";
    for (const auto& [label, value] : table) {
        const auto* text = std::get_if<std::string>(&value);
        const auto lines =
            text != nullptr ? std::vector<std::string>{*text} : std::get<std::vector<std::string>>(value);
        out += fmt::format("{:>{}} : {}\n", label, width, lines.empty() ? "" : lines.front());
        for (std::size_t i = 1; i < lines.size(); ++i) out += fmt::format("{:>{}}{}\n", "", width + 3, lines[i]);
    }
    return out;
}

} // namespace

std::string mamba_info(const Invocation& invocation, const Config& config, const std::string& prefix, MambaInfo what) {
    const Table table = what == MambaInfo::base ? Table{{"base environment", config.root_prefix}}
                                                : table_of(invocation, config, prefix);
    return config.json ? as_json(table) : as_text(table);
}

std::vector<std::string> shown_channel_urls(const Config& config) {
    std::vector<std::string> urls;
    for (const auto& text : config.channels.empty() ? config.last_resort_channels : config.channels) {
        const auto channels = resolve_channel(text, config.channel_settings);
        if (!channels) continue;
        for (const auto& channel : *channels) {
            urls.push_back(channel.base_url + '/' + config.subdir);
            urls.push_back(channel.base_url + "/noarch");
        }
    }
    return urls;
}

std::vector<std::string> shown_virtual_packages(const Config& config) {
    std::vector<std::string> names;
    for (const auto& package : detect_virtual_packages(config.subdir, config.environment)) {
        names.push_back(package.name + '=' + package.version + '=' + package.build);
    }
    return names;
}

} // namespace taipan::cli
