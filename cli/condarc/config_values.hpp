#pragma once

#include <string>
#include <string_view>

#include "base/json_writer.hpp"
#include "config/key_catalogue.hpp"
#include "config/yaml_value.hpp"

namespace taipan::cli {

/// A value with the types that its key has: truth values become plain `true` and `false`, numbers plain digits, what
/// means nothing null, and the rest text. Elements of lists and maps are text.
[[nodiscard]] YamlValue typed_value(const YamlValue& value, const KeyInfo& key);
/// The same with the types that YAML itself sees, as conda has them when it reads a key from a file.
[[nodiscard]] YamlValue typed_as_yaml(const YamlValue& value);

/// A typed value as JSON. Passwords and tokens in URLs are masked, here and in the texts below.
void write_value(JsonWriter& json, const YamlValue& value);
/// A typed scalar as Python prints it: `True`, `None`, `3`.
[[nodiscard]] std::string python_text(const YamlValue& value);
/// Lines `key: value` as `conda config --show` has them.
[[nodiscard]] std::string key_lines(std::string_view key, const YamlValue& value);

} // namespace taipan::cli
