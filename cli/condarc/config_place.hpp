#pragma once

#include <string>

#include "program/common_options.hpp"

namespace taipan::cli {

/// Which configuration file is meant; the user's when nothing is said.
struct ConfigPlace {
    bool system = false, env = false;
    std::string file;

    [[nodiscard]] int given(const CommonOptions& options) const;
};

struct ResolvedConfigPlace {
    std::string path;
    bool json = false; ///< whether JSON is asked for, by flag or settings
};

/// `~/.condarc`, that of the root prefix, of the active environment, of -n/-p, or the file itself. Works with settings
/// that are wrong, too, since this is how they are mended.
Result<ResolvedConfigPlace> resolve_config_place(const ConfigPlace& place, const Invocation& invocation,
                                                 const CommonOptions& options);

} // namespace taipan::cli
