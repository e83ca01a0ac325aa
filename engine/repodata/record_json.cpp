// One record of repodata.json -> PackageRecord.
//
// Channels hold records written by fifteen years of tools, so the types of some fields vary. What is only decoration
// (license, platform, ...) is ignored when it has the wrong type; what the solver or the download depends on makes the
// record unusable: it is better not to offer a package than to install it with half of its dependencies.
#include "repodata/record_json.hpp"

#include <charconv>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

namespace taipan::repodata {
namespace {

namespace ondemand = simdjson::ondemand;

/// Timestamps up to this many (the year 9999) are seconds, greater ones milliseconds.
constexpr std::int64_t last_second = 253402300799;
/// Records of a newer schema or record version carry dependencies in a syntax we would misread.
constexpr std::int64_t newest_schema_version = 2;
constexpr std::int64_t newest_record_version = 1;

bool read_text(ondemand::value& value, std::string& out) {
    std::string_view text;
    if (value.get_string().get(text) != simdjson::SUCCESS) return false;
    out.assign(text);
    return true;
}

std::optional<std::int64_t> to_integer(std::string_view text) {
    std::int64_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
    return number;
}

/// An integer, also as text or as a floating-point number without fraction.
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

/// A list of texts; null counts as empty.
bool read_list(ondemand::value& value, std::vector<std::string>& out) {
    out.clear();
    ondemand::array items;
    if (value.get_array().get(items) != simdjson::SUCCESS) return value.is_null();
    for (auto item : items) {
        std::string_view text;
        if (item.get_string().get(text) != simdjson::SUCCESS) return false;
        out.emplace_back(text);
    }
    return true;
}

/// Features: a blank-separated text (commas occur too) or a list; anything else counts as none.
void read_features(ondemand::value& value, std::string& out) {
    out.clear();
    std::vector<std::string> items;
    if (!read_text(value, out)) {
        if (!read_list(value, items)) return;
        for (const auto& item : items) {
            if (!out.empty()) out += ' ';
            out += item;
        }
    }
    for (char& letter : out)
        if (letter == ',') letter = ' ';
}

Noarch read_noarch(ondemand::value& value) {
    std::string_view text;
    if (value.get_string().get(text) == simdjson::SUCCESS) {
        if (text == "python") return Noarch::python;
        if (text == "generic") return Noarch::generic;
        return Noarch::none;
    }
    bool flag = false;
    if (value.get_bool().get(flag) == simdjson::SUCCESS && flag) return Noarch::generic;
    return Noarch::none;
}

std::optional<std::uint64_t> read_size(ondemand::value& value) {
    const auto number = read_integer(value);
    if (!number || *number < 0) return std::nullopt;
    return static_cast<std::uint64_t>(*number);
}

/// Fields that decide over use: false when the record must not be used.
bool read_vital(std::string_view key, ondemand::value& value, PackageRecord& record, bool& known) {
    known = true;
    if (key == "name") return read_text(value, record.name);
    if (key == "version") return read_text(value, record.version);
    if (key == "build") return read_text(value, record.build);
    if (key == "depends") return read_list(value, record.depends);
    if (key == "constrains") return read_list(value, record.constrains);
    if (key == "build_number") {
        const auto number = read_integer(value);
        if (number) record.build_number = *number;
        return number.has_value();
    }
    if (key == "schema_version" || key == "record_version") {
        const auto number = read_integer(value);
        return number && *number <= (key == "schema_version" ? newest_schema_version : newest_record_version);
    }
    known = false;
    return true;
}

void read_optional(std::string_view key, ondemand::value& value, PackageRecord& record) {
    struct TextField {
        std::string_view key;
        std::string PackageRecord::*member;
    };
    static constexpr TextField text_fields[] = {
        {"md5", &PackageRecord::md5},
        {"sha256", &PackageRecord::sha256},
        {"subdir", &PackageRecord::subdir},
        {"license", &PackageRecord::license},
        {"license_family", &PackageRecord::license_family},
        {"legacy_bz2_md5", &PackageRecord::legacy_bz2_md5},
        {"python_site_packages_path", &PackageRecord::python_site_packages_path},
        {"arch", &PackageRecord::arch},
        {"platform", &PackageRecord::platform},
        {"date", &PackageRecord::date},
    };
    for (const auto& field : text_fields) {
        if (key == field.key) {
            if (!read_text(value, record.*field.member)) (record.*field.member).clear();
            return;
        }
    }
    if (key == "size")
        record.size = read_size(value);
    else if (key == "legacy_bz2_size")
        record.legacy_bz2_size = read_size(value);
    else if (key == "noarch")
        record.noarch = read_noarch(value);
    else if (key == "track_features")
        read_features(value, record.track_features);
    else if (key == "features")
        read_features(value, record.features);
    else if (key == "timestamp") {
        const auto number = read_integer(value);
        if (number && *number > 0) record.timestamp = *number > last_second ? *number : *number * 1000;
    }
}

} // namespace

std::optional<PackageRecord> parse_record(ondemand::parser& parser, std::string_view json) {
    const simdjson::padded_string_view padded(json.data(), json.size(), json.size() + simdjson::SIMDJSON_PADDING);
    ondemand::document document;
    ondemand::object object;
    if (parser.iterate(padded).get(document) != simdjson::SUCCESS) return std::nullopt;
    if (document.get_object().get(object) != simdjson::SUCCESS) return std::nullopt;
    PackageRecord record;
    for (auto field : object) {
        std::string_view key;
        ondemand::value value;
        if (field.unescaped_key().get(key) != simdjson::SUCCESS) return std::nullopt;
        if (field.value().get(value) != simdjson::SUCCESS) return std::nullopt;
        bool known = false;
        if (!read_vital(key, value, record, known)) return std::nullopt;
        if (!known) read_optional(key, value, record);
    }
    if (document.current_location().error() == simdjson::SUCCESS || record.name.empty() || record.version.empty() ||
        record.build.empty())
        return std::nullopt;
    for (char& letter : record.name)
        if (letter >= 'A' && letter <= 'Z') letter = static_cast<char>(letter - 'A' + 'a');
    return record;
}

} // namespace taipan::repodata
