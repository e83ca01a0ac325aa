#include "condarc/config_show.hpp"

#include <algorithm>
#include <set>
#include <type_traits>

#include <fmt/format.h>

#include "condarc/condarc_edit.hpp"
#include "condarc/config_values.hpp"
#include "config/config_keys.hpp"
#include "screen/shown_channel.hpp"
#include "screen/text.hpp"

// What `config --show`, `--show-sources` and `--describe` print, in conda's form. A key that has a field in Config is
// read from there, so that what is shown is what is used; the others have what the layers say, or conda's default.

namespace taipan::cli {

namespace {

YamlValue list_value(const std::vector<std::string>& items) {
    YamlValue value;
    value.kind = YamlValue::Kind::sequence;
    for (const auto& item : items) value.items.push_back(text_value(item));
    return value;
}

YamlValue default_value(const KeyInfo& key) {
    auto parsed = parse_yaml(key.default_json, key.name);
    return parsed ? typed_as_yaml(*parsed) : YamlValue();
}

std::string_view priority_word(ChannelPriority priority) {
    switch (priority) {
    case ChannelPriority::strict: return "strict";
    case ChannelPriority::flexible: return "flexible";
    case ChannelPriority::disabled: return "disabled";
    }
    return {};
}

/// Reads the field of Config that a key fills; null for keys without one.
YamlValue field_value(const ConfigField& field, Config& config) {
    return std::visit(
        [&](auto get) -> YamlValue {
            using Get = decltype(get);
            if constexpr (std::is_same_v<Get, std::monostate>) {
                return {};
            } else if constexpr (std::is_same_v<Get, Result<void> (*)(Config&, const YamlValue&)>) {
                return {};
            } else {
                const auto& value = get(config);
                using Value = std::decay_t<decltype(value)>;
                if constexpr (std::is_same_v<Value, bool>) {
                    return plain_value(value ? "true" : "false");
                } else if constexpr (std::is_arithmetic_v<Value>) {
                    return plain_value(fmt::format("{}", value));
                } else if constexpr (std::is_same_v<Value, std::string>) {
                    return text_value(value);
                } else if constexpr (std::is_same_v<Value, std::vector<std::string>>) {
                    return list_value(value);
                } else {
                    YamlValue map;
                    map.kind = YamlValue::Kind::map;
                    for (const auto& [name, member] : value) {
                        if constexpr (std::is_same_v<Value, std::map<std::string, std::string>>)
                            map.members.emplace_back(name, text_value(member));
                        else
                            map.members.emplace_back(name, list_value(member));
                    }
                    return map;
                }
            }
        },
        field);
}

/// Values that depend on the machine, on the request, or on more than one field.
YamlValue computed_value(std::string_view name, const Config& config) {
    if (name == "channel_priority") return text_value(priority_word(config.channel_priority));
    if (name == "ssl_verify") return text_value(config.ssl_verify);
    if (name == "auto_activate") return plain_value(config.auto_activate.value_or(true) ? "true" : "false");
    if (name == "extract_threads") return plain_value(std::to_string(config.worker_threads));
    if (name == "root_prefix") return text_value(config.root_prefix);
    if (name == "subdirs") return list_value({config.subdir, "noarch"});
    if (name == "console") return text_value(config.json ? "json" : "classic");
    return {};
}

/// What conda uses where it calls the default none or empty.
YamlValue default_in_use(const KeyInfo& key, const Config& config) {
    if (key.name == "default_threads" || key.name == "repodata_threads") return {};
    if (key.name == "execute_threads" || key.name == "verify_threads") return plain_value("1");
    if (key.name == "croot") return text_value(config.root_prefix + "/conda-bld");
    if (key.name == "export_platforms") return list_value({config.subdir});
    return default_value(key);
}

std::vector<ShownChannel> shown_channels(const std::vector<std::string>& words, const Config& config) {
    std::vector<ShownChannel> shown;
    for (const auto& word : words) {
        const auto channels = resolve_channel(word, config.channel_settings);
        if (!channels) continue;
        for (const auto& channel : *channels) shown.push_back(shown_channel(channel.base_url));
    }
    return shown;
}

std::vector<ShownChannel> custom_channels(const Config& config) {
    std::vector<ShownChannel> channels;
    std::set<std::string> names;
    for (const auto& [name, place] : config.channel_settings.custom_channels) {
        channels.push_back(shown_location(place, name));
        names.insert(name);
    }
    for (auto& channel : shown_channels(config.channel_settings.default_channels, config)) {
        if (names.insert(channel.name).second) channels.push_back(std::move(channel));
    }
    return channels;
}

std::map<std::string, std::vector<ShownChannel>> custom_multichannels(const Config& config) {
    std::map<std::string, std::vector<ShownChannel>> all;
    all["defaults"] = shown_channels(config.channel_settings.default_channels, config);
    all["local"] = {};
    for (const auto& [name, words] : config.channel_settings.custom_multichannels) {
        all[name] = shown_channels(words, config);
    }
    return all;
}

void write_channels(JsonWriter& json, const std::vector<ShownChannel>& channels) {
    json.begin_array();
    for (const auto& channel : channels) channel.write(json);
    json.end_array();
}

/// Writes keys whose values are channels; false for other keys.
bool write_channel_key(JsonWriter& json, std::string_view name, const Config& config) {
    if (name == "channel_alias") {
        shown_location(config.channel_settings.channel_alias, "").write(json);
    } else if (name == "default_channels") {
        write_channels(json, shown_channels(config.channel_settings.default_channels, config));
    } else if (name == "custom_channels") {
        auto channels = custom_channels(config);
        std::sort(channels.begin(), channels.end(), [](const auto& a, const auto& b) { return a.name < b.name; });
        json.begin_object();
        for (const auto& channel : channels) {
            json.key(channel.name);
            channel.write(json);
        }
        json.end_object();
    } else if (name == "custom_multichannels") {
        json.begin_object();
        for (const auto& [multichannel, channels] : custom_multichannels(config)) {
            json.key(multichannel);
            write_channels(json, channels);
        }
        json.end_object();
    } else {
        return false;
    }
    return true;
}

/// The text of the same; empty for other keys.
std::string channel_key_text(std::string_view name, const Config& config) {
    std::string text;
    if (name == "custom_channels") {
        text = "custom_channels:\n";
        for (const auto& channel : custom_channels(config)) {
            text += fmt::format("  {}: {}\n", channel.name, channel.location_url());
        }
    } else if (name == "custom_multichannels") {
        text = "custom_multichannels:\n";
        for (const auto& [multichannel, channels] : custom_multichannels(config)) {
            text += "  " + multichannel + ": \n";
            for (const auto& channel : channels) text += "    - " + channel.url() + '\n';
        }
    }
    return text;
}

const KeyInfo& info_or_text(const std::string& name) {
    static const KeyInfo unknown = {"", KeyInfo::Category::hidden, KeyInfo::Shape::primitive, "str", "", ""};
    const auto* info = find_key_info(name);
    return info != nullptr ? *info : unknown;
}

/// conda's names of the layers that are no files.
std::string source_name(const ConfigSource& source) {
    if (source.name == "CONDA_* variables") return "envvars";
    return source.name;
}

std::vector<std::string> words_of(std::string_view text) {
    std::vector<std::string> words;
    for (const auto word : split_words(text)) words.emplace_back(word);
    return words;
}

std::string_view shape_word(KeyInfo::Shape shape) {
    switch (shape) {
    case KeyInfo::Shape::primitive: return "primitive";
    case KeyInfo::Shape::sequence: return "sequence";
    case KeyInfo::Shape::map: return "map";
    }
    return {};
}

bool has_no_effect(std::string_view name) {
    const auto* key = find_config_key(name);
    return key == nullptr || std::holds_alternative<std::monostate>(key->field);
}

std::string description(const KeyInfo& key) {
    std::string text(key.description);
    if (has_no_effect(key.name)) text += " It is read for the sake of other tools and changes nothing in taipan.";
    return text;
}

} // namespace

YamlValue effective_value(const KeyInfo& key, const Config& config, const std::vector<ConfigSource>& sources) {
    const auto merged = merged_value(sources, std::string(key.name));
    if (merged.is_null() && (" " + std::string(key.types) + " ").find(" NoneType ") != std::string::npos) return {};
    auto value = computed_value(key.name, config);
    const auto* entry = find_config_key(key.name);
    Config copy = config;
    // --json means quiet, without being asked for it.
    if (value.is_null() && entry != nullptr && key.name != "quiet") value = field_value(entry->field, copy);
    if (value.is_null()) value = merged.is_null() ? default_in_use(key, config) : merged;
    return typed_value(value, key);
}

std::string shown_keys(const std::vector<const KeyInfo*>& keys, const Config& config,
                       const std::vector<ConfigSource>& sources) {
    std::string text;
    for (const auto* key : keys) {
        const auto channels = channel_key_text(key->name, config);
        text += channels.empty() ? key_lines(key->name, effective_value(*key, config, sources)) : channels;
    }
    return text;
}

std::string shown_keys_json(const std::vector<const KeyInfo*>& keys, const Config& config,
                            const std::vector<ConfigSource>& sources) {
    JsonWriter json;
    json.begin_object();
    for (const auto* key : keys) {
        json.key(key->name);
        if (!write_channel_key(json, key->name, config)) write_value(json, effective_value(*key, config, sources));
    }
    return json.end_object().take() + "\n";
}

std::string shown_sources(const std::vector<ConfigSource>& sources) {
    std::string text;
    for (const auto& source : sources) {
        text += "==> " + source_name(source) + " <==\n";
        for (const auto& [name, value] : source.values) {
            text += key_lines(name, typed_value(value.value, info_or_text(name)));
        }
        text += '\n';
    }
    return text;
}

std::string shown_sources_json(const std::vector<ConfigSource>& sources) {
    std::map<std::string, const ConfigSource*> sorted;
    for (const auto& source : sources) sorted[source_name(source)] = &source;
    JsonWriter json;
    json.begin_object();
    for (const auto& [layer, source] : sorted) {
        json.key(layer).begin_object();
        for (const auto& [name, value] : source->values) {
            json.key(name);
            write_value(json, typed_value(value.value, info_or_text(name)));
        }
        json.end_object();
    }
    return json.end_object().take() + "\n";
}

std::string described_key(const KeyInfo& key) {
    std::vector<std::string> types = words_of(key.types);
    std::sort(types.begin(), types.end());
    types.erase(std::unique(types.begin(), types.end()), types.end());
    const auto joined = fmt::format("{}", fmt::join(types, ", "));
    std::string text = key.shape == KeyInfo::Shape::primitive
                           ? fmt::format("# # {} ({})\n", key.name, joined)
                           : fmt::format("# # {} ({}: {})\n", key.name, shape_word(key.shape), joined);
    const auto* entry = find_config_key(key.name);
    if (entry != nullptr && !entry->alias.empty()) text += fmt::format("# #   aliases: {}\n", entry->alias);
    if (key.shape == KeyInfo::Shape::sequence && entry != nullptr) {
        text += fmt::format("# #   env var string delimiter: '{}'\n", entry->environment_separator);
    }
    const auto wrapped = wrap_words(description(key), 0, 70);
    for (const auto line : split_words(wrapped, '\n')) text += fmt::format("# #   {}\n", line);
    text += "# # \n";
    const auto value = yaml_block(default_value(key), 2);
    const auto lines = std::string(key.name) + (value.starts_with('\n') ? ":" : ": ") + value;
    for (const auto line : split_words(lines, '\n')) text += fmt::format("# {}\n", line);
    return text + '\n';
}

std::string described_keys_json(const std::vector<const KeyInfo*>& keys) {
    JsonWriter json;
    json.begin_array();
    for (const auto* key : keys) {
        const auto* entry = find_config_key(key->name);
        json.begin_object();
        json.member("aliases", entry != nullptr ? words_of(entry->alias) : std::vector<std::string>());
        json.key("default_value");
        write_value(json, default_value(*key));
        json.member("description", description(*key));
        json.member("element_types", words_of(key->types));
        json.member("name", key->name).member("parameter_type", shape_word(key->shape));
        if (key->shape == KeyInfo::Shape::sequence && entry != nullptr) {
            json.member("string_delimiter", std::string(1, entry->environment_separator));
        }
        json.end_object();
    }
    return json.end_array().take() + "\n";
}

std::string described_all() {
    std::string text;
    auto category = KeyInfo::Category::hidden;
    for (const auto& key : key_catalogue()) {
        if (key.category == KeyInfo::Category::hidden) continue;
        if (key.category != category) {
            const std::string rule = "# " + std::string(54, '#') + '\n';
            if (!text.empty()) text += '\n';
            text += rule + fmt::format("# ## {:^48} ##\n", category_heading(key.category)) + rule + '\n';
            category = key.category;
        }
        text += described_key(key);
    }
    return text;
}

} // namespace taipan::cli
