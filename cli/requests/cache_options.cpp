#include "requests/cache_options.hpp"

#include "base/filesystem.hpp"
#include "cache/package_cache.hpp"
#include "config/expand.hpp"

namespace taipan::cli {

Options CacheOptions::place_options() {
    const std::string group = "Cache";
    Options options = {
        {"--pkgs-dir", &pkgs_dir, "DIR", "the package cache (default: the first writable one that is configured)",
         group},
        {"-r,--root-prefix", &common.root_prefix, "PATH", "where the packages are kept", group},
    };
    append(options, common.output_options());
    append(options, common.config_options());
    return options;
}

Options CacheOptions::form_options(const std::string& archives_help, const std::string& extracted_help) {
    const std::string group = "Cache";
    return {{"--archives", &archives, {}, archives_help, group},
            {"--extracted", &extracted, {}, extracted_help, group}};
}

Result<Config> CacheOptions::load(const Invocation& invocation) const {
    TAIPAN_TRY(auto config, load_settings(invocation, common));
    if (!pkgs_dir.empty())
        config.pkgs_dirs = {absolute_path(expand_home(pkgs_dir, config.home), config.working_directory)};
    return config;
}

Result<std::string> writable_cache(const Config& config) {
    TAIPAN_TRY(const PackageCache cache, PackageCache::open(config.pkgs_dirs));
    return cache.writable_directory();
}

} // namespace taipan::cli
