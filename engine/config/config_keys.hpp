#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/result.hpp"
#include "config/config.hpp"
#include "config/yaml_value.hpp"

namespace taipan {

/// Where a key's value goes in Config, which also says what type it has. `Custom` parses by itself.
using ConfigField =
    std::variant<std::monostate, bool& (*)(Config&), int& (*)(Config&), double& (*)(Config&), std::string& (*)(Config&),
                 std::vector<std::string>& (*)(Config&), std::map<std::string, std::string>& (*)(Config&),
                 std::map<std::string, std::vector<std::string>>& (*)(Config&),
                 Result<void> (*)(Config&, const YamlValue&)>;

/// One thing that can be configured. Without a field (monostate) it is a key of conda or mamba that means nothing
/// here: accepted in silence, since files are shared with those tools.
struct ConfigKey {
    std::string_view name;
    std::string_view alias = {};
    ConfigField field = {};
    /// Allowed words of a string; empty when any will do. Blank-separated.
    std::string_view choices = {};
    char environment_separator = ','; ///< between list items in `CONDA_<NAME>`
};

[[nodiscard]] const std::vector<ConfigKey>& config_keys();
/// Finds a key by name or alias; nullptr when unknown.
[[nodiscard]] const ConfigKey* find_config_key(std::string_view name);
/// True for keys whose value is a list (their environment variable is split).
[[nodiscard]] bool is_list_key(const ConfigKey& key);

/// Puts the merged value into the config. Errors are ErrorCode::parse, naming the key and what is expected.
Result<void> apply_config_value(const ConfigKey& key, const YamlValue& value, Config& config);

/// `true`, `yes`, `on`, `1` and their opposites in any case; nullopt for other words.
[[nodiscard]] std::optional<bool> parse_boolean(std::string_view text);

} // namespace taipan
