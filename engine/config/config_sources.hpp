#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "config/config.hpp"
#include "config/yaml_value.hpp"

namespace taipan {

/// conda's comment flags in a .condarc: `#!final` on a key, `#!top` and `#!bottom` on list items.
enum class RcFlag { none, final, top, bottom };

/// One key's value in one place, with its flags.
struct SourceValue {
    YamlValue value;
    RcFlag flag = RcFlag::none;     ///< of the key's line: final or none
    std::vector<RcFlag> item_flags; ///< of a sequence, one an item
};

/// One layer of configuration: a file, or the environment variables.
struct ConfigSource {
    std::string name;                          ///< path of the file, or a name such as "CONDA_* variables"
    std::map<std::string, SourceValue> values; ///< by canonical key; nulls are left out
};

/// The files that may exist, in order of rising precedence (conda-spec 10.1), directories `condarc.d` included.
[[nodiscard]] std::vector<std::string> rc_file_candidates(const ConfigRequest& request, const std::string& root_prefix,
                                                          const std::string& home);

/// Reads one file's text. Keys are made canonical (aliases); unknown ones go to `warnings`.
/// `environment` expands `$VAR`. Errors are ErrorCode::parse and name the file.
Result<ConfigSource> parse_rc_text(std::string_view text, const std::string& path,
                                   const std::map<std::string, std::string>& environment,
                                   std::vector<std::string>& warnings);

/// All layers that exist, in order of rising precedence: files, then `CONDA_*`, then `MAMBA_*` variables.
Result<std::vector<ConfigSource>> load_config_sources(const ConfigRequest& request, const std::string& root_prefix,
                                                      const std::string& home, std::vector<std::string>& warnings);

/// What the layers give for one key: nullopt-like null value when none sets it. Scalars: the last layer wins unless
/// an earlier one is final. Sequences: items of later layers first, duplicates removed, `#!top`/`#!bottom` honoured.
/// Maps: merged key by key, the later one wins.
[[nodiscard]] YamlValue merged_value(const std::vector<ConfigSource>& sources, const std::string& key);

} // namespace taipan
