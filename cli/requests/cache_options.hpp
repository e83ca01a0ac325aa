#pragma once

#include <string>

#include "base/result.hpp"
#include "flow/cache_needs.hpp"
#include "program/command.hpp"
#include "program/common_options.hpp"

namespace taipan::cli {

/// What the commands of `cache` share: which cache, and which forms of its packages.
struct CacheOptions {
    CommonOptions common;
    std::string pkgs_dir;
    bool archives = false, extracted = false;

    [[nodiscard]] Options place_options(); ///< --pkgs-dir -r --json -q -v --rc-file --no-rc
    [[nodiscard]] Options form_options(const std::string& archives_help, const std::string& extracted_help);
    [[nodiscard]] bool both_forms() const { return archives == extracted; }

    /// The configuration, with the cache that was named.
    Result<Config> load(const Invocation& invocation) const;
};

/// The cache that new packages go to.
Result<std::string> writable_cache(const Config& config);

} // namespace taipan::cli
