#include "config/config.hpp"

#include <algorithm>

#include <unistd.h>

#include "base/filesystem.hpp"
#include "config/config_keys.hpp"
#include "config/config_sources.hpp"
#include "config/expand.hpp"

// Merges everything that is configured into one plain Config. Order of the steps matters: the root prefix comes first,
// since files are looked for in it; then all layers are read (config_sources); then each key is folded over the layers
// and stored (config_keys); last, what nobody set gets its default and paths become absolute.

namespace taipan {

namespace {

std::string variable(const ConfigRequest& request, const std::string& name) {
    const auto found = request.environment.find(name);
    return found == request.environment.end() ? std::string() : found->second;
}

bool is_root_prefix(const std::string& path) {
    return exists(path + "/pkgs") || exists(path + "/conda-meta") || exists(path + "/envs");
}

/// Where micromamba 2 has it: told by flag or variable, else the environment that the program is installed in, else
/// ~/micromamba of version 1 if it is in use, else below
/// the user's data directory.
std::string find_root_prefix(const ConfigRequest& request, const std::string& home) {
    const auto absolute = [&](const std::string& path) {
        return absolute_path(expand_home(path, home), request.working_directory);
    };
    if (request.root_prefix && !request.root_prefix->empty()) return absolute(*request.root_prefix);
    for (const auto* name : {"MAMBA_ROOT_PREFIX", "MAMBA_DEFAULT_ROOT_PREFIX"}) {
        if (const auto value = variable(request, name); !value.empty()) return absolute(value);
    }
    if (request.installed_root) return absolute(*request.installed_root);
    if (const auto old = home + "/micromamba"; is_root_prefix(old)) return old;
    const auto data = variable(request, "XDG_DATA_HOME");
    return (data.empty() ? home + "/.local/share" : absolute(data)) + "/mamba";
}

void make_absolute(std::vector<std::string>& paths, const Config& config) {
    std::vector<std::string> unique;
    for (const auto& path : paths) {
        auto absolute = absolute_path(expand_home(path, config.home), config.working_directory);
        if (std::find(unique.begin(), unique.end(), absolute) == unique.end()) unique.push_back(std::move(absolute));
    }
    paths = std::move(unique);
}

/// The places for environments and packages that are there without being configured.
void add_fixed_places(Config& config, bool of_conda) {
    const std::string shared = config.root_prefix + "/envs", own = config.home + "/.conda/envs";
    if (of_conda) { // a user who cannot write the root prefix has his own place first
        const bool writable = ::access(config.root_prefix.c_str(), W_OK) == 0 || !exists(config.root_prefix);
        config.envs_dirs.push_back(writable ? shared : own);
        config.envs_dirs.push_back(writable ? own : shared);
    } else {
        config.envs_dirs.push_back(shared);
        // conda's place is of interest only where conda has put something there.
        if (is_directory(own)) config.envs_dirs.push_back(own);
    }
    if (!config.pkgs_dirs.empty()) return;
    config.pkgs_dirs = {config.root_prefix + "/pkgs", config.home + (of_conda ? "/.conda/pkgs" : "/.mamba/pkgs")};
}

} // namespace

Result<Config> load_config(const ConfigRequest& request) {
    Config config;
    config.environment = request.environment;
    config.home = variable(request, "HOME");
    config.working_directory = request.working_directory;
    config.root_prefix = find_root_prefix(request, config.home);
    config.subdir = native_subdir();
    config.aggressive_update_packages = {"ca-certificates", "certifi", "openssl"};

    TAIPAN_TRY(const auto sources, load_config_sources(request, config.root_prefix, config.home, config.warnings));
    for (const auto& key : config_keys()) {
        TAIPAN_CHECK(apply_config_value(key, merged_value(sources, std::string(key.name)), config));
    }
    for (const auto& source : sources) {
        if (source.name.starts_with('/')) config.sources.push_back(source.name);
    }

    add_fixed_places(config, request.user_places_of_conda);
    make_absolute(config.envs_dirs, config);
    make_absolute(config.pkgs_dirs, config);
    config.credentials = load_credentials(config.environment, config.home, config.warnings);
    config.channel_settings.home = config.home;
    config.channel_settings.working_directory = config.working_directory;
    return config;
}

} // namespace taipan
