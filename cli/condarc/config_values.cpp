#include "condarc/config_values.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>

#include <fmt/format.h>

#include "condarc/condarc_edit.hpp"
#include "config/config_keys.hpp"
#include "model/channel.hpp"

namespace taipan::cli {

namespace {

bool has_type(std::string_view types, std::string_view type) {
    return (' ' + std::string(types) + ' ').find(' ' + std::string(type) + ' ') != std::string::npos;
}

template <class Number> bool is_number(std::string_view text) {
    Number number{};
    if (text.starts_with('+')) text.remove_prefix(1);
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    return !text.empty() && error == std::errc() && end == text.data() + text.size();
}

/// `60` -> `60.0`, as Python writes a float.
std::string float_text(std::string_view text) {
    std::string out(text);
    if (out.find_first_of(".eEn") == std::string::npos) out += ".0";
    return out;
}

bool means_nothing(std::string text) {
    std::transform(text.begin(), text.end(), text.begin(), [](unsigned char c) { return std::tolower(c); });
    return text.empty() || text == "none" || text == "null" || text == "~";
}

YamlValue all_text(const YamlValue& value) {
    YamlValue out = value;
    if (out.is_scalar()) out.quoted = true;
    for (auto& item : out.items) item = all_text(item);
    for (auto& [name, member] : out.members) member = all_text(member);
    return out;
}

std::string shown(const std::string& text) { return without_credentials_in_text(text); }

} // namespace

YamlValue typed_value(const YamlValue& value, const KeyInfo& key) {
    if (!value.is_scalar() || key.shape != KeyInfo::Shape::primitive) return all_text(value);
    const auto& text = value.text;
    if (has_type(key.types, "NoneType") && means_nothing(text)) return {};
    if (has_type(key.types, "int") && is_number<long long>(text)) return plain_value(text);
    if (has_type(key.types, "bool")) {
        if (const auto flag = parse_boolean(text)) return plain_value(*flag ? "true" : "false");
    }
    if (has_type(key.types, "float") && is_number<double>(text)) return plain_value(float_text(text));
    return text_value(text);
}

YamlValue typed_as_yaml(const YamlValue& value) {
    YamlValue out = value;
    for (auto& item : out.items) item = typed_as_yaml(item);
    for (auto& [name, member] : out.members) member = typed_as_yaml(member);
    if (!out.is_scalar() || out.quoted) return out;
    std::string lower = out.text;
    std::transform(lower.begin(), lower.end(), lower.begin(), [](unsigned char c) { return std::tolower(c); });
    if (lower == "true" || lower == "false") return plain_value(lower);
    if (means_nothing(lower)) return {};
    out.quoted = !is_number<long long>(out.text) && !is_number<double>(out.text);
    return out;
}

void write_value(JsonWriter& json, const YamlValue& value) {
    if (value.is_sequence()) {
        json.begin_array();
        for (const auto& item : value.items) write_value(json, item);
        json.end_array();
    } else if (value.is_map()) {
        auto members = value.members;
        std::sort(members.begin(), members.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
        json.begin_object();
        for (const auto& [name, member] : members) {
            json.key(name);
            write_value(json, member);
        }
        json.end_object();
    } else if (value.is_null()) {
        json.null();
    } else if (value.quoted) {
        json.value(shown(value.text));
    } else {
        json.raw(value.text.starts_with('+') ? value.text.substr(1) : value.text);
    }
}

std::string python_text(const YamlValue& value) {
    if (value.is_null()) return "None";
    if (value.quoted) return shown(value.text);
    if (value.text == "true") return "True";
    return value.text == "false" ? "False" : value.text;
}

std::string key_lines(std::string_view key, const YamlValue& value) {
    if (value.is_sequence() || value.is_map()) {
        if (value.items.empty() && value.members.empty()) {
            return fmt::format("{}: {}\n", key, value.is_map() ? "{}" : "[]");
        }
        const auto write = [](YamlValue one, auto&& self) -> YamlValue { // as Python prints each scalar
            if (one.is_scalar() || one.is_null()) return plain_value(python_text(one));
            for (auto& item : one.items) item = self(item, self);
            for (auto& [name, member] : one.members) member = self(member, self);
            return one;
        };
        return fmt::format("{}:{}\n", key, yaml_block(write(value, write), 2));
    }
    return fmt::format("{}: {}\n", key, python_text(value));
}

} // namespace taipan::cli
