#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "config/credentials.hpp"
#include "model/channel.hpp"

namespace taipan {

/// Everything that is configured: conda's layers of .condarc files, environment variables, and built-in
/// defaults merged into one value (conda-spec 10). Command line flags are applied on top by the caller.
struct Config {
    std::map<std::string, std::string> environment; ///< of the process, as the caller passed it in
    std::string home, working_directory;
    std::string root_prefix;            ///< MAMBA_ROOT_PREFIX, or the default below $HOME
    std::vector<std::string> envs_dirs; ///< first writable one receives new environments
    std::vector<std::string> pkgs_dirs; ///< all are searched, first writable one receives packages
    std::vector<std::string> channels;  ///< as written, highest priority first
    /// Searched when nothing names a channel; set by the caller, for the tool that is stood in for.
    std::vector<std::string> last_resort_channels;
    ChannelSettings channel_settings;
    std::map<std::string, std::vector<std::string>> mirrored_channels; ///< name -> base URLs, tried in turn
    std::vector<StoredCredential> credentials;                         ///< of earlier logins; never shown
    ChannelPriority channel_priority = ChannelPriority::flexible;
    std::string subdir; ///< target platform, e.g. linux-64
    bool offline = false;
    std::vector<std::string> slim, slim_exclude, slim_keep; ///< what environments do without: groups, patterns
    /// Environments do not tell when, where and how they were made; `source_date_epoch` (seconds) is when they say.
    bool reproducible = false;
    std::optional<std::int64_t> source_date_epoch;
    std::optional<bool> direct;   ///< nothing goes into a package cache; nullopt: only if none can be written
    bool use_index_cache = false; ///< --use-index-cache: cached repodata is always fresh
    int local_repodata_ttl = 1;   ///< seconds; 1 = as the server says, 0 = always ask
    bool use_only_tar_bz2 = false;
    bool repodata_use_zst = true, repodata_use_shards = true;
    std::string ssl_verify = "true"; ///< true, false, or the path of a CA bundle or directory
    std::string client_ssl_cert, client_ssl_cert_key;
    std::map<std::string, std::string> proxy_servers; ///< scheme or scheme://host -> URL
    double remote_connect_timeout_seconds = 9.15;
    double remote_read_timeout_seconds = 60; ///< without progress, not in total
    int remote_max_retries = 3;
    double remote_backoff_factor = 1;
    int fetch_threads = 16; ///< transfers at once
    int worker_threads = 0; ///< CPU workers; 0 = as many as the machine allows us
    bool always_yes = false, always_copy = false, always_softlink = false, allow_softlinks = false;
    bool json = false, quiet = false;
    int verbosity = 0;
    bool compile_pyc = true;
    bool skip_run_link_scripts = false; ///< mamba's: scripts of packages are not run, but named
    bool use_uv = false; ///< uv, not pip, installs the pip parts of files
    bool add_pip_as_python_dependency = true;
    bool prefix_data_interoperability = false; ///< what pip installed makes way for a package of the same name
    bool register_envs = true, protect_frozen_envs = true, rollback_enabled = true;
    bool show_channel_urls = false, changeps1 = true;
    std::optional<bool> auto_activate; ///< the shell hook activates; nullopt: as the tool that is stood in for does
    std::string default_activation_env = "base"; ///< what `activate` without a name means
    int auto_stack = 0;                          ///< up to this level, `activate` stacks
    bool envvars_force_uppercase = true;         ///< names of an environment's variables are exported in upper case
    std::string env_prompt = "({default_env}) ";
    std::string path_conflict = "clobber"; ///< clobber, warn or prevent
    std::string safety_checks = "warn";    ///< disabled, warn or enabled
    bool extra_safety_checks = false;
    std::vector<std::string> pinned_packages, create_default_packages, disallowed_packages;
    /// Updated whenever an environment that has them changes.
    std::vector<std::string> aggressive_update_packages = {"ca-certificates", "certifi", "openssl"};
    std::vector<std::string> track_features;
    std::map<std::string, std::string> override_virtual_packages;
    std::vector<std::string> sources;  ///< files that were read, in order of rising precedence
    std::vector<std::string> warnings; ///< unknown keys and the like; for the caller to show
};

struct ConfigRequest {
    std::map<std::string, std::string> environment;
    std::string working_directory;
    std::optional<std::string> root_prefix; ///< -r
    std::optional<std::string>
        installed_root;                       ///< where the program lies in an environment's bin: weaker than variables
    std::optional<std::string> target_prefix; ///< -p or what -n resolved to: its .condarc counts
    std::vector<std::string> rc_files;        ///< --rc-file: only these are read
    bool no_rc = false;                       ///< --no-rc: none is read
    bool no_env = false;                      ///< --no-env: variables set no keys
    /// The fixed places of a user are conda's (`~/.conda/envs` and `pkgs`, always), not mamba's.
    bool user_places_of_conda = false;
};

/// Reads and merges all layers. Invalid YAML or a value of the wrong type is ErrorCode::parse naming the file
/// and key; unknown keys become warnings.
Result<Config> load_config(const ConfigRequest& request);

} // namespace taipan
