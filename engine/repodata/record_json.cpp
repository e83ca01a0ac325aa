// One record of repodata.json -> RecordView.
//
// Channels hold records written by fifteen years of tools, so the types of some fields vary. What is only decoration
// (license, platform, ...) is ignored when it has the wrong type; what the solver or the download depends on makes the
// record unusable: it is better not to offer a package than to install it with half of its dependencies.
#include "repodata/record_json.hpp"

#include <array>
#include <charconv>
#include <cstdint>
#include <limits>
#include <string>

#include "repodata/record_fields.hpp"

namespace taipan::repodata {
namespace {

namespace ondemand = simdjson::ondemand;

std::optional<std::int64_t> to_integer(std::string_view text) {
    std::int64_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
    return number;
}

Noarch read_noarch(ondemand::value& value) {
    std::string_view text;
    if (value.get_string().get(text) == simdjson::SUCCESS) return noarch_of(text);
    bool flag = false;
    if (value.get_bool().get(flag) == simdjson::SUCCESS && flag) return Noarch::generic;
    return Noarch::none;
}

std::optional<std::uint64_t> read_size(ondemand::value& value) {
    const auto number = read_integer(value);
    if (!number || *number < 0) return std::nullopt;
    return static_cast<std::uint64_t>(*number);
}

} // namespace

std::optional<std::int64_t> read_integer(ondemand::value& value) {
    std::int64_t number = 0;
    if (value.get_int64().get(number) == simdjson::SUCCESS) return number;
    double real = 0;
    if (value.get_double().get(real) == simdjson::SUCCESS) {
        constexpr double limit = 9.0e18;
        if (real > -limit && real < limit) return static_cast<std::int64_t>(real);
        return std::nullopt;
    }
    std::string_view text;
    if (value.get_string().get(text) == simdjson::SUCCESS) return to_integer(text);
    return std::nullopt;
}

bool is_null(ondemand::value& value) {
    bool null = false;
    return value.is_null().get(null) == simdjson::SUCCESS && null;
}

bool read_text(ondemand::value& value, std::string_view& out) {
    // The token as it stands, with the blanks behind it.
    std::string_view token = value.raw_json_token();
    if (!token.starts_with('"')) return false;
    token.remove_prefix(1);
    while (!token.empty() && token.back() != '"') token.remove_suffix(1);
    if (token.empty() || token.find('\\') != std::string_view::npos)
        return value.get_string().get(out) == simdjson::SUCCESS;
    token.remove_suffix(1);
    ondemand::raw_json_string consumed;
    if (value.get_raw_json_string().get(consumed) != simdjson::SUCCESS) return false;
    out = token;
    return true;
}

bool read_key(ondemand::field& field, std::string_view& out) {
    const char* const begin = field.key().raw();
    const char* end = begin;
    while (*end != '"' && *end != '\\') ++end; // the parser has seen the closing quote
    if (*end == '\\') return field.unescaped_key().get(out) == simdjson::SUCCESS;
    out = {begin, static_cast<std::size_t>(end - begin)};
    return true;
}

/// A list of texts; null counts as empty.
bool RecordReader::read_list(ondemand::value& value, std::span<const std::string_view>& out) {
    out = {};
    items_.clear();
    ondemand::array items;
    if (value.get_array().get(items) != simdjson::SUCCESS) return is_null(value);
    for (auto item : items) {
        ondemand::value element;
        std::string_view text;
        if (std::move(item).get(element) != simdjson::SUCCESS || !read_text(element, text)) return false;
        items_.push_back(text);
    }
    out = arena_.keep(std::span<const std::string_view>(items_));
    return true;
}

/// Features: a blank-separated text (commas occur too) or a list; anything else counts as none.
void RecordReader::read_features(ondemand::value& value, std::string_view& out) {
    out = {};
    std::string_view text;
    if (read_text(value, text)) {
        if (!text.empty()) out = arena_.keep(blank_separated(std::span(&text, 1)));
        return;
    }
    std::span<const std::string_view> items;
    if (read_list(value, items) && !items.empty()) out = arena_.keep(blank_separated(items));
}

/// Fields that decide over use: false when the record must not be used.
bool RecordReader::read_vital(RecordKey key, ondemand::value& value, RecordView& record, bool& known) {
    known = true;
    switch (key) {
    case RecordKey::name: return read_text(value, record.name);
    case RecordKey::version: return read_text(value, record.version);
    case RecordKey::build: return read_text(value, record.build);
    case RecordKey::depends: return read_list(value, record.depends);
    case RecordKey::constrains: return read_list(value, record.constrains);
    case RecordKey::build_number: {
        const auto number = read_integer(value);
        if (number) record.build_number = *number;
        return number || is_null(value);
    }
    case RecordKey::schema_version:
    case RecordKey::record_version: {
        const auto number = read_integer(value);
        return number && *number <= (key == RecordKey::schema_version ? newest_schema_version : newest_record_version);
    }
    default: known = false; return true;
    }
}

void RecordReader::read_optional(RecordKey key, ondemand::value& value, RecordView& record) {
    switch (key) {
    case RecordKey::other: return;
    case RecordKey::size: record.size = read_size(value); return;
    case RecordKey::legacy_bz2_size: record.legacy_bz2_size = read_size(value); return;
    case RecordKey::noarch: record.noarch = read_noarch(value); return;
    case RecordKey::track_features: read_features(value, record.track_features); return;
    case RecordKey::features: read_features(value, record.features); return;
    case RecordKey::timestamp:
        if (const auto number = read_integer(value)) record.timestamp = timestamp_of(*number);
        return;
    default: break;
    }
    std::string_view* const text = text_field(record, key);
    if (text != nullptr && !read_text(value, *text)) *text = {};
}

RecordReading RecordReader::read(ondemand::object& object, RecordView& record) {
    record = RecordView();
    bool usable = true;
    for (auto item : object) {
        ondemand::field field;
        std::string_view text;
        if (std::move(item).get(field) != simdjson::SUCCESS) return RecordReading::no_json;
        if (!read_key(field, text)) return RecordReading::no_json;
        const RecordKey key = record_key(text);
        bool known = false;
        if (!read_vital(key, field.value(), record, known)) {
            usable = false;
            break;
        }
        if (!known) read_optional(key, field.value(), record);
    }
    return usable && identify(record, arena_) ? RecordReading::usable : RecordReading::unusable;
}

} // namespace taipan::repodata
