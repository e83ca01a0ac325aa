#include "screen/print_config.hpp"

#include <fmt/format.h>

#include "screen/yaml_text.hpp"

namespace taipan::cli {

namespace {

/// mamba's flags of what a target may be.
enum PrefixChecks : unsigned { allow_existing = 2, allow_not_environment = 8, expect_existing = 16 };

std::string yaml_list(std::string_view key, const std::vector<std::string>& items) {
    std::string text = fmt::format("{}:{}\n", key, items.empty() ? " []" : "");
    for (const auto& item : items) text += "  - " + yaml_scalar(item) + '\n';
    return text;
}

std::string_view priority_name(ChannelPriority priority) {
    switch (priority) {
    case ChannelPriority::strict: return "strict";
    case ChannelPriority::flexible: return "flexible";
    case ChannelPriority::disabled: return "disabled";
    }
    return {};
}

} // namespace

std::string understood_config(const Config& config, const UnderstoodRequest& request) {
    const bool creates = request.action == Action::create, removes = request.action == Action::remove;
    std::string text;
    const auto scalar = [&](std::string_view key, const std::string& value) {
        text += fmt::format("{}: {}\n", key, value.empty() ? "\"\"" : yaml_scalar(value));
    };
    const auto flag = [&](std::string_view key, bool value) { text += fmt::format("{}: {}\n", key, value); };
    scalar("root_prefix", config.root_prefix);
    scalar("target_prefix", request.prefix);
    flag("use_target_prefix_fallback", !creates);
    flag("use_root_prefix_fallback", !creates && !removes);
    flag("use_default_prefix_fallback", !creates && !removes);
    text +=
        fmt::format("target_prefix_checks: {}\n", allow_existing | (creates ? allow_not_environment : expect_existing));
    scalar("env_name", request.name);
    text += yaml_list("envs_dirs", config.envs_dirs) + yaml_list("pkgs_dirs", config.pkgs_dirs);
    scalar("platform", config.subdir);
    scalar("spec_file_env_name", request.file_name);
    text += yaml_list("specs", request.specs) + yaml_list("channels", request.channels);
    scalar("channel_alias", config.channel_settings.channel_alias);
    text += yaml_list("default_channels", config.channel_settings.default_channels);
    flag("repodata_use_zst", config.repodata_use_zst);
    text += fmt::format("local_repodata_ttl: {}\n", config.local_repodata_ttl);
    flag("offline", config.offline);
    scalar("ssl_verify", config.ssl_verify);
    scalar("channel_priority", std::string(priority_name(config.channel_priority)));
    text += yaml_list("pinned_packages", config.pinned_packages);
    flag("always_copy", config.always_copy);
    flag("always_softlink", config.always_softlink);
    flag("allow_softlinks", config.allow_softlinks);
    scalar("safety_checks", config.safety_checks);
    flag("always_yes", config.always_yes);
    flag("compile_pyc", config.compile_pyc);
    flag("use_uv", config.use_uv);
    return text;
}

} // namespace taipan::cli
