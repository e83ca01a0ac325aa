#include "program/common_options.hpp"

#include <algorithm>

#include "base/filesystem.hpp"
#include "config/config_keys.hpp"

namespace taipan::cli {

Result<void> set_config_key(Config& config, std::string_view key, const std::string& text) {
    YamlValue value;
    value.kind = YamlValue::Kind::scalar;
    value.text = text;
    auto applied = apply_config_value(*find_config_key(key), value, config);
    if (!applied) applied.error().code = ErrorCode::invalid_argument;
    return applied;
}

Options CommonOptions::prefix_options() {
    const std::string group = "Environment";
    return {
        {"-n,--name", &name, "NAME", "name of the environment", group},
        {"-p,--prefix", &prefix, "PATH", "path of the environment", group},
        {"-r,--root-prefix", &root_prefix, "PATH", "where environments and packages are kept (MAMBA_ROOT_PREFIX)",
         group},
    };
}

Options CommonOptions::config_options() {
    const std::string group = "Configuration";
    return {
        {"--rc-file", &rc_files, "FILE", "read this configuration file only; may be given several times", group},
        {"--no-rc", &no_rc, {}, "read no configuration file", group},
        {"--no-env", &no_env, {}, "take no settings from CONDA_* and MAMBA_* variables", group},
    };
}

Options CommonOptions::output_options() {
    const std::string group = "Output";
    return {
        {"--json", &json, {}, "print one JSON document and nothing else", group},
        {"-q,--quiet", &quiet, {}, "show no progress", group},
        {"-v,--verbose", &verbose, {}, "tell more; may be repeated", group},
        {"--debug", &verbose, {}, {}, group},
    };
}

Options CommonOptions::consent_options() {
    const std::string group = "Output";
    return {
        {"-y,--yes", &yes, {}, "do not ask for confirmation", group},
        {"--override-frozen", &override_frozen, {}, "change the environment even if it is marked as frozen", group},
        {"-d,--dry-run", &dry_run, {}, "show what would be done, and do nothing", group},
    };
}

Options CommonOptions::general_options() {
    return {{"--offline", &offline, {}, {}, "Output"}, {"-y,--yes", &yes, {}, {}, "Output"}};
}

Options CommonOptions::channel_options() {
    const std::string group = "Channels and network";
    return {
        {"-c,--channel", &channels, "CHANNEL", "where packages come from: name, URL or path; may be repeated", group},
        {"-O,--override-channels", &override_channels, {}, "ignore the configured channels", group},
        {"--strict-channel-priority",
         &strict_priority,
         {},
         "a package comes from the first channel that has it",
         group},
        {"--no-channel-priority", &no_priority, {}, "versions count more than the order of channels", group},
        {"--channel-priority", &channel_priority, "WORD", "strict, flexible or disabled", group},
        {"--channel-alias", &channel_alias, "URL", "the URL that channel names are appended to", group},
        {"--platform,--subdir", &subdir, "SUBDIR", "platform to install for, e.g. linux-aarch64", group},
        {"--offline", &offline, {}, "use what is in the cache only", group},
        {"-C,--use-index-cache", &use_index_cache, {}, "do not ask the server for a newer index", group},
        {"--repodata-use-zst", &use_zst, {}, "fetch repodata.json.zst where a channel has it (the default)", group},
        {"--no-repodata-use-zst", &use_zst, {}, "fetch repodata.json", group, false},
        {"--repodata-use-shards",
         &use_shards,
         {},
         "fetch sharded indexes where a channel has them (the default)",
         group},
        {"--no-repodata-use-shards", &use_shards, {}, "fetch whole indexes", group, false},
        {"--repodata-ttl", &repodata_ttl, "SECONDS", "how long a cached index is good", group},
        {"-k,--insecure", &insecure, {}, "do not verify TLS certificates", group},
        {"--cacert-path", &ca_path, "PATH", "file or folder of certificates to trust", group},
        {"--ssl-verify", &ssl_verify, "VALUE", "true, false or the path of a CA bundle", group},
    };
}

std::string CommonOptions::usage_error() const {
    if (!name.empty() && !prefix.empty()) return "-n/--name and -p/--prefix exclude each other";
    if (strict_priority && no_priority) return "--strict-channel-priority and --no-channel-priority exclude each other";
    if (channel_priority &&
        ((strict_priority && *channel_priority != "strict") || (no_priority && *channel_priority != "disabled"))) {
        return "--channel-priority " + *channel_priority + " and the other flag of channel priority exclude each other";
    }
    if (!rc_files.empty() && no_rc) return "--rc-file and --no-rc exclude each other";
    return {};
}

Result<void> CommonOptions::apply(Config& config) const {
    if (json) config.json = *json;
    if (yes) config.always_yes = *yes;
    if (quiet) config.quiet = *quiet;
    config.verbosity = std::max(config.verbosity, verbose);
    if (channel_alias) config.channel_settings.channel_alias = *channel_alias;
    if (channel_priority) TAIPAN_CHECK(set_config_key(config, "channel_priority", *channel_priority));
    if (strict_priority) config.channel_priority = ChannelPriority::strict;
    if (no_priority) config.channel_priority = ChannelPriority::disabled;
    if (subdir) config.subdir = *subdir;
    if (offline) config.offline = true;
    if (use_index_cache) config.use_index_cache = true;
    if (repodata_ttl) TAIPAN_CHECK(set_config_key(config, "local_repodata_ttl", *repodata_ttl));
    if (use_zst) config.repodata_use_zst = *use_zst;
    if (use_shards) config.repodata_use_shards = *use_shards;
    if (override_frozen) config.protect_frozen_envs = false;
    if (ca_path) TAIPAN_CHECK(set_config_key(config, "ssl_verify", *ca_path));
    if (insecure) config.ssl_verify = "false";
    if (ssl_verify) TAIPAN_CHECK(set_config_key(config, "ssl_verify", *ssl_verify));
    if (config.json) config.quiet = true;
    if (!is_known_subdir(config.subdir)) {
        return make_error(ErrorCode::invalid_argument,
                          "unknown platform '" + config.subdir + "'; write it as in linux-64 or osx-arm64");
    }
    return {};
}

ConfigRequest settings_request(const Invocation& invocation, const CommonOptions& options,
                               std::optional<std::string> target_prefix) {
    ConfigRequest request;
    request.environment = invocation.environment;
    request.working_directory = invocation.working_directory;
    request.root_prefix = options.root_prefix;
    request.installed_root = root_of_program(invocation.executable);
    request.target_prefix = std::move(target_prefix);
    request.rc_files = options.rc_files;
    request.no_rc = options.no_rc;
    request.no_env = options.no_env;
    request.user_places_of_conda = invocation.role() == Role::conda;
    return request;
}

Result<Config> load_settings(const Invocation& invocation, const CommonOptions& options,
                             std::optional<std::string> target_prefix) {
    // mamba takes it: an explicit list or a file with channels needs none of the command line.
    if (options.override_channels && options.channels.empty() && !as_mamba(invocation.role())) {
        Error error = make_error(ErrorCode::invalid_argument,
                                 "--override-channels needs at least one -c/--channel to take its place");
        error.details = R"({"missing_argument": "channel"})";
        return error;
    }
    TAIPAN_TRY(auto config, load_config(settings_request(invocation, options, std::move(target_prefix))));
    TAIPAN_CHECK(options.apply(config));
    if (as_mamba(invocation.role())) config.last_resort_channels = {"conda-forge"};
    return config;
}

Result<Config> load_settings_for_output(const Invocation& invocation, const CommonOptions& options, bool& json) {
    json = options.json.value_or(false);
    TAIPAN_TRY(auto config, load_settings(invocation, options));
    json = config.json;
    return config;
}

Result<Config> load_settings_for_prefix(const Invocation& invocation, const CommonOptions& options,
                                        const std::string& target_prefix, Config without) {
    const auto has_settings = [](const std::string& directory) {
        return exists(directory + "/.condarc") || exists(directory + "/condarc") || exists(directory + "/condarc.d") ||
               exists(directory + "/.mambarc");
    };
    // Most prefixes have no settings of their own: look before reading everything a second time.
    const auto active = invocation.variable("CONDA_PREFIX");
    if (target_prefix == active) return without;
    if (!has_settings(target_prefix) && (active.empty() || !has_settings(active))) return without;
    return load_settings(invocation, options, target_prefix);
}

std::vector<std::string> request_channels(const CommonOptions& options, const Config& config,
                                          const std::vector<std::string>& from_files, bool nodefaults) {
    std::vector<std::string> channels = options.channels;
    channels.insert(channels.end(), from_files.begin(), from_files.end());
    if (!options.override_channels && !nodefaults) {
        channels.insert(channels.end(), config.channels.begin(), config.channels.end());
    }
    std::vector<std::string> unique;
    for (auto& channel : channels) {
        if (std::find(unique.begin(), unique.end(), channel) == unique.end()) unique.push_back(std::move(channel));
    }
    return unique.empty() ? config.last_resort_channels : unique;
}

} // namespace taipan::cli
