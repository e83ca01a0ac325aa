#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/json_writer.hpp"
#include "config/config.hpp"
#include "config/config_sources.hpp"
#include "config/key_catalogue.hpp"

namespace taipan::cli {

/// What holds for a key in the end: what the layers say, else the default.
[[nodiscard]] YamlValue effective_value(const KeyInfo& key, const Config& config,
                                        const std::vector<ConfigSource>& sources);

/// `config --show`: the keys in order, as text or as JSON.
[[nodiscard]] std::string shown_keys(const std::vector<const KeyInfo*>& keys, const Config& config,
                                     const std::vector<ConfigSource>& sources);
[[nodiscard]] std::string shown_keys_json(const std::vector<const KeyInfo*>& keys, const Config& config,
                                          const std::vector<ConfigSource>& sources);

/// `config --show-sources`: what each layer says.
[[nodiscard]] std::string shown_sources(const std::vector<ConfigSource>& sources);
[[nodiscard]] std::string shown_sources_json(const std::vector<ConfigSource>& sources);

/// `config --describe` of one key, as comments around its default.
[[nodiscard]] std::string described_key(const KeyInfo& key);
[[nodiscard]] std::string described_keys_json(const std::vector<const KeyInfo*>& keys);
/// The description of all keys that conda describes, under headings.
[[nodiscard]] std::string described_all();

} // namespace taipan::cli
