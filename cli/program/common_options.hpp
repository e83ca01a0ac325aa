#pragma once

#include <optional>
#include <string>
#include <vector>

#include "config/config.hpp"
#include "program/command.hpp"
#include "program/option.hpp"

namespace taipan::cli {

/// What many commands take, each part with the list of options that fills it. A command combines the lists it needs.
struct CommonOptions {
    // where
    std::string name, prefix;
    std::optional<std::string> root_prefix;
    // configuration
    std::vector<std::string> rc_files;
    bool no_rc = false, no_env = false;
    // output
    std::optional<bool> json, yes, quiet;
    int verbose = 0;
    bool dry_run = false;
    // channels and network
    std::vector<std::string> channels;
    bool override_channels = false;
    std::optional<bool> strict_priority, no_priority;
    std::optional<std::string> channel_priority, channel_alias, subdir, ssl_verify, ca_path;
    std::optional<bool> offline, use_index_cache, insecure, use_zst, use_shards;
    bool override_frozen = false;
    std::optional<std::string> repodata_ttl;

    [[nodiscard]] Options prefix_options();  ///< -n -p -r
    [[nodiscard]] Options config_options();  ///< --rc-file --no-rc
    [[nodiscard]] Options output_options();  ///< --json -q -v
    [[nodiscard]] Options consent_options(); ///< -y --dry-run
    [[nodiscard]] Options general_options(); ///< settings that can be given to any command
    [[nodiscard]] Options channel_options(); ///< -c --override-channels ... --offline -k

    /// A contradiction between the options; empty when there is none.
    [[nodiscard]] std::string usage_error() const;
    /// Puts what was given on top of the configuration. Fails on a word that is none of the allowed ones.
    Result<void> apply(Config& config) const;
};

/// Gives a key the value of an option. Fails with invalid_argument when it does not fit.
Result<void> set_config_key(Config& config, std::string_view key, const std::string& text);

/// Where the settings are to be read from.
[[nodiscard]] ConfigRequest settings_request(const Invocation& invocation, const CommonOptions& options,
                                             std::optional<std::string> target_prefix = std::nullopt);
/// The configuration with the options on top, and without a target prefix's own .condarc.
Result<Config> load_settings(const Invocation& invocation, const CommonOptions& options,
                             std::optional<std::string> target_prefix = std::nullopt);
/// The same, and tells whether the output is JSON: as the options say until the settings are known, so that an error of
/// theirs has the right form, too.
Result<Config> load_settings_for_output(const Invocation& invocation, const CommonOptions& options, bool& json);
/// As load_settings for a target prefix: its .condarc counts.
Result<Config> load_settings_for_prefix(const Invocation& invocation, const CommonOptions& options,
                                        const std::string& target_prefix, Config without);

/// The channels of a request: -c first, then `from_files`, then configured ones unless overridden.
[[nodiscard]] std::vector<std::string> request_channels(const CommonOptions& options, const Config& config,
                                                        const std::vector<std::string>& from_files, bool nodefaults);

} // namespace taipan::cli
