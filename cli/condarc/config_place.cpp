#include "condarc/config_place.hpp"

#include "base/filesystem.hpp"
#include "config/expand.hpp"
#include "prefix/prefix_data.hpp"
#include "requests/target_prefix.hpp"

namespace taipan::cli {

int ConfigPlace::given(const CommonOptions& options) const {
    const bool prefix = !options.name.empty() || !options.prefix.empty();
    return (system ? 1 : 0) + (env ? 1 : 0) + (file.empty() ? 0 : 1) + (prefix ? 1 : 0);
}

Result<ResolvedConfigPlace> resolve_config_place(const ConfigPlace& place, const Invocation& invocation,
                                                 const CommonOptions& options) {
    auto loaded = load_settings(invocation, options);
    if (!loaded) {
        CommonOptions without_files = options;
        without_files.rc_files.clear();
        without_files.no_rc = true;
        loaded = load_settings(invocation, without_files);
    }
    TAIPAN_TRY(const auto config, std::move(loaded));
    const auto active = invocation.variable("CONDA_PREFIX");
    const auto user = config.home + "/.condarc";
    if (place.system) return ResolvedConfigPlace{config.root_prefix + "/.condarc", config.json};
    if (place.env) return ResolvedConfigPlace{active.empty() ? user : active + "/.condarc", config.json};
    if (!place.file.empty()) {
        const auto path = absolute_path(expand_home(place.file, config.home), invocation.working_directory);
        return ResolvedConfigPlace{path, config.json};
    }
    if (!options.name.empty() || !options.prefix.empty()) {
        TAIPAN_TRY(const auto prefix, resolve_target(invocation, options, config, WithoutTarget::fail));
        TAIPAN_CHECK(require_environment(prefix));
        return ResolvedConfigPlace{prefix + "/.condarc", config.json};
    }
    return ResolvedConfigPlace{user, config.json};
}

} // namespace taipan::cli
