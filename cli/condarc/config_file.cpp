#include "condarc/config_file.hpp"

#include <algorithm>
#include <cstdlib>

#include "base/filesystem.hpp"
#include "base/json_writer.hpp"
#include "condarc/config_values.hpp"
#include "config/config_keys.hpp"
#include "config/key_catalogue.hpp"

namespace taipan::cli {

namespace {

constexpr std::uint64_t size_limit = 16U << 20U;

/// `proxy_servers.https` -> key and member. What has no known key before the dot is one word.
struct KeyPath {
    std::string key, member;
    const KeyInfo* info = nullptr; ///< null for an unknown key
    bool alias = false;
};

KeyPath key_path(const std::string& text) {
    KeyPath path;
    path.key = text.substr(0, text.find('.'));
    if (path.key.size() < text.size()) path.member = text.substr(path.key.size() + 1);
    if (const auto* key = find_config_key(path.key)) {
        path.alias = key->name != path.key;
        path.info = find_key_info(key->name);
    }
    return path;
}

std::string quoted(const std::string& key) { return "'" + key + "'"; }

/// The words that a key allows, beyond what the program itself checks.
std::string_view choices_of(const KeyInfo& info) {
    if (info.name == "channel_priority") return "strict flexible disabled";
    if (info.name == "deps_modifier") return "not_set no_deps only_deps";
    const auto* key = find_config_key(info.name);
    return key == nullptr ? std::string_view() : key->choices;
}

/// What is wrong with a value; empty when it fits.
std::string misfit(const KeyInfo& info, const YamlValue& value) {
    const auto types = ' ' + std::string(info.types) + ' ';
    const auto has = [&](std::string_view type) { return types.find(' ' + std::string(type) + ' ') != types.npos; };
    if (value.is_null()) return {};
    if (value.quoted && !has("str")) {
        if (const auto choices = choices_of(info); !choices.empty()) {
            if ((' ' + std::string(choices) + ' ').find(' ' + value.text + ' ') != std::string::npos) return {};
            return "Valid choices: " + std::string(choices);
        }
        if (has("bool")) return "must be true or false";
        if (has("int") || has("float")) return "must be a number";
    }
    Config probe;
    const auto* key = find_config_key(info.name);
    const auto applied = key == nullptr ? Result<void>() : apply_config_value(*key, value, probe);
    return applied ? std::string() : applied.error().message;
}

std::vector<YamlValue>::iterator find_item(YamlValue& list, const std::string& item) {
    return std::find_if(list.items.begin(), list.items.end(),
                        [&](const YamlValue& one) { return one.is_scalar() && one.text == item; });
}

/// The list that `add` and `remove` work on: the key's value, or the member of a map.
YamlValue* list_in(YamlValue& value, const std::string& member) {
    if (member.empty()) return &value;
    if (value.is_null()) value.kind = YamlValue::Kind::map;
    if (!value.is_map()) return nullptr;
    for (auto& [name, one] : value.members) {
        if (name == member) return &one;
    }
    value.members.emplace_back(member, YamlValue());
    return &value.members.back().second;
}

} // namespace

Result<ConfigFile> ConfigFile::read(std::string path) {
    std::string text;
    if (exists(path)) {
        TAIPAN_TRY(text, read_file(path, size_limit));
    }
    TAIPAN_TRY(auto parsed, CondarcText::parse(std::move(text), path));
    return ConfigFile(std::move(path), std::move(parsed));
}

Error ConfigFile::fail(std::string_view name, const std::string& message) {
    error_name_ = name;
    Error error = make_error(ErrorCode::invalid_argument, message);
    // conda's members of that error.
    if (name == "CondaKeyError" && message.starts_with('\'')) {
        const auto key = message.substr(1, message.find('\'', 1) - 1);
        error.details = JsonWriter().begin_object().member("key", key).member("msg", message).end_object().take();
    }
    return error;
}

YamlValue ConfigFile::get(const std::string& key) {
    const auto path = key_path(key);
    if (path.info == nullptr && find_config_key(path.key) == nullptr) {
        warnings_.push_back("Unknown key: " + quoted(key));
        return {};
    }
    const auto* value = content().find(path.key);
    if (value == nullptr && path.info != nullptr) value = content().find(path.info->name);
    if (value != nullptr && !path.member.empty()) value = value->find(path.member);
    return value == nullptr ? YamlValue() : typed_as_yaml(*value);
}

Result<void> ConfigFile::set(const std::string& key, const std::string& text) {
    const auto path = key_path(key);
    if (path.info == nullptr) return fail("CondaKeyError", quoted(key) + ": unknown parameter");
    const std::string name(path.info->name);
    if (path.info->shape == KeyInfo::Shape::map && !path.member.empty()) {
        const auto* old = content().find(name);
        YamlValue value = old == nullptr || !old->is_map() ? YamlValue() : *old;
        *list_in(value, path.member) = text_value(text);
        return text_.put(name, value);
    }
    if (path.info->shape != KeyInfo::Shape::primitive || !path.member.empty()) {
        return fail("CondaKeyError", quoted(key) + ": invalid parameter");
    }
    const auto value = typed_value(plain_value(text), *path.info);
    if (const auto wrong = misfit(*path.info, value); !wrong.empty()) {
        return fail("CustomValidationError",
                    "Parameter " + name + " = " + quoted(text) + " declared in --set parameter is invalid.\n" + wrong);
    }
    if (path.alias && content().find(path.key) != nullptr) TAIPAN_CHECK(text_.put(path.key, std::nullopt));
    return text_.put(name, value);
}

Result<void> ConfigFile::add(const std::string& key, const std::string& item, bool in_front) {
    const auto path = key_path(key);
    const auto shape = path.info == nullptr ? KeyInfo::Shape::primitive : path.info->shape;
    const bool fits =
        shape == KeyInfo::Shape::sequence ? path.member.empty() : shape == KeyInfo::Shape::map && !path.member.empty();
    if (!fits) return fail("CondaValueError", "Key " + quoted(key) + " is not a known sequence parameter.");
    // An alias that the file has already goes on: both names in one file would be a contradiction.
    const std::string name = content().find(path.key) != nullptr ? path.key : std::string(path.info->name);
    const auto* old = content().find(name);
    YamlValue value = old == nullptr ? YamlValue() : *old;
    auto* list = list_in(value, path.member);
    if (list != nullptr && list->is_null()) list->kind = YamlValue::Kind::sequence;
    if (list == nullptr || !list->is_sequence()) {
        return fail("CouldntParseError", "key " + quoted(name) + " should be a list, not str.");
    }
    auto found = find_item(*list, item);
    if (found != list->items.end()) {
        warnings_.push_back("Warning: " + quoted(item) + " already in " + quoted(key) + " list, moving to the " +
                            (in_front ? "top" : "bottom"));
        while ((found = find_item(*list, item)) != list->items.end()) list->items.erase(found);
    }
    list->items.insert(in_front ? list->items.begin() : list->items.end(), text_value(item));
    return text_.put(name, value);
}

Result<void> ConfigFile::remove(const std::string& key, const std::string& item) {
    const auto path = key_path(key);
    if (path.info == nullptr) return fail("CondaKeyError", quoted(key) + ": unknown parameter");
    if (path.info->shape != KeyInfo::Shape::sequence || !path.member.empty()) {
        return fail("CondaKeyError", quoted(key) + ": invalid parameter");
    }
    const std::string name = content().find(path.key) != nullptr ? path.key : std::string(path.info->name);
    const auto* old = content().find(name);
    if (old == nullptr && name != "channels") return fail("CondaKeyError", quoted(key) + ": undefined in config");
    YamlValue value = old == nullptr ? YamlValue() : *old;
    if (old == nullptr) { // the channels that hold as long as none is named
        value.kind = YamlValue::Kind::sequence;
        value.items.push_back(text_value("defaults"));
    }
    auto found = find_item(value, item);
    if (found == value.items.end()) {
        return fail("CondaKeyError", quoted(name) + ": value " + quoted(item) + " not present in config");
    }
    while ((found = find_item(value, item)) != value.items.end()) value.items.erase(found);
    return text_.put(name, value);
}

Result<void> ConfigFile::remove_key(const std::string& key) {
    const auto path = key_path(key);
    for (const auto& name : {path.key, path.info == nullptr ? path.key : std::string(path.info->name)}) {
        const auto* old = content().find(name);
        if (old == nullptr || (!path.member.empty() && old->find(path.member) == nullptr)) continue;
        if (path.member.empty()) return text_.put(name, std::nullopt);
        YamlValue value = *old;
        std::erase_if(value.members, [&](const auto& member) { return member.first == path.member; });
        return text_.put(name, value);
    }
    return fail("CondaKeyError", quoted(key) + ": undefined in config");
}

Result<void> ConfigFile::merge(const std::string& yaml) {
    auto parsed = parse_yaml(yaml, "standard input");
    if (!parsed || !(parsed->is_map() || parsed->is_null())) {
        return fail("ParseError", "invalid yaml content:\n" + yaml);
    }
    for (const auto& [key, value] : parsed->members) TAIPAN_CHECK(text_.put(key, value));
    return {};
}

Result<void> ConfigFile::write() const {
    if (text_.text() == original_ && exists(path_)) return {};
    char* real = ::realpath(path_.c_str(), nullptr);
    const std::string target = real == nullptr ? path_ : real;
    std::free(real); // NOLINT: realpath allocates with malloc
    if (const auto slash = target.rfind('/'); slash != std::string::npos && slash > 0) {
        TAIPAN_CHECK(make_directories(target.substr(0, slash)));
    }
    return write_file_atomic(target, text_.text());
}

} // namespace taipan::cli
