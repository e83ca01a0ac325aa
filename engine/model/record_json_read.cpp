// Reading records: what conda, mamba and very old tools have written, in any order of keys (conda-spec 2.5, 4.2).
// A key of an unexpected type counts as absent, because old files are full of nulls; only broken JSON and a record
// without name, version or build are errors.

#include <algorithm>
#include <optional>
#include <utility>

#include <simdjson.h>

#include "model/record_json.hpp"

namespace taipan {

namespace {

namespace ondemand = simdjson::ondemand;

constexpr std::int64_t largest_seconds = 253402300799; // year 9999: larger timestamps are milliseconds

Error parse_error(simdjson::error_code code) {
    return make_error(ErrorCode::parse, std::string("not a package record: ") + simdjson::error_message(code));
}

/// Calls `visit(key, value)` for each member; the first broken one ends it.
template <class Visitor> simdjson::error_code for_each_member(ondemand::object& object, Visitor visit) {
    for (auto field : object) {
        std::string_view key;
        ondemand::value value;
        if (auto code = field.unescaped_key().get(key)) return code;
        const std::string name(key); // reading the value may reuse the key's buffer
        if (auto code = field.value().get(value)) return code;
        if (auto code = visit(std::string_view(name), value)) return code;
    }
    return simdjson::SUCCESS;
}

void read(ondemand::value& value, std::string& text) {
    std::string_view view;
    if (value.get_string().get(view) == simdjson::SUCCESS) text = view;
}

void read(ondemand::value& value, std::optional<std::uint64_t>& number) {
    std::uint64_t integer = 0;
    if (value.get_uint64().get(integer) == simdjson::SUCCESS) number = integer;
}

void read(ondemand::value& value, std::int64_t& number) {
    std::int64_t integer = 0;
    if (value.get_int64().get(integer) == simdjson::SUCCESS) number = integer;
}

void read(ondemand::value& value, bool& flag) {
    bool read_flag = false;
    if (value.get_bool().get(read_flag) == simdjson::SUCCESS) flag = read_flag;
}

void read_timestamp(ondemand::value& value, std::optional<std::int64_t>& timestamp) {
    double number = 0;
    if (value.get_double().get(number) != simdjson::SUCCESS || !(number >= 0 && number < 9e15)) return;
    const auto integer = static_cast<std::int64_t>(number);
    timestamp = integer <= largest_seconds ? integer * 1000 : integer;
}

/// A list of strings; elements of other types are left out.
simdjson::error_code read(ondemand::value& value, std::vector<std::string>& items) {
    ondemand::array array;
    if (value.get_array().get(array) != simdjson::SUCCESS) return simdjson::SUCCESS;
    items.clear();
    for (auto item : array) {
        std::string_view text;
        const auto code = item.get_string().get(text);
        if (code == simdjson::SUCCESS)
            items.emplace_back(text);
        else if (code != simdjson::INCORRECT_TYPE)
            return code;
    }
    return simdjson::SUCCESS;
}

/// A string, or a list that is joined with blanks.
simdjson::error_code read_words(ondemand::value& value, std::string& words) {
    std::vector<std::string> items;
    std::string_view text;
    if (value.get_string().get(text) == simdjson::SUCCESS) {
        words = text;
        std::replace(words.begin(), words.end(), ',', ' ');
        return simdjson::SUCCESS;
    }
    if (auto code = read(value, items)) return code;
    for (const std::string& item : items) words.append(words.empty() ? "" : " ").append(item);
    return simdjson::SUCCESS;
}

Noarch read_noarch(ondemand::value& value) {
    bool flag = false;
    if (value.get_bool().get(flag) == simdjson::SUCCESS) return flag ? Noarch::generic : Noarch::none;
    std::string_view text;
    if (value.get_string().get(text) != simdjson::SUCCESS) return Noarch::none;
    return text == "python" ? Noarch::python : text == "generic" ? Noarch::generic : Noarch::none;
}

std::optional<PathType> path_type_of(std::string_view text) {
    if (text == "hardlink") return PathType::hardlink;
    if (text == "softlink") return PathType::softlink;
    if (text == "directory") return PathType::directory;
    if (text == "pyc_file") return PathType::pyc_file;
    if (text == "unix_python_entry_point") return PathType::unix_python_entry_point;
    return std::nullopt;
}

simdjson::error_code read_path(ondemand::object& object, InstalledPath& path) {
    return for_each_member(object, [&](std::string_view key, ondemand::value& value) {
        PathEntry& entry = path.entry;
        std::string text;
        if (key == "_path")
            read(value, entry.path);
        else if (key == "prefix_placeholder")
            read(value, entry.placeholder);
        else if (key == "sha256")
            read(value, entry.sha256);
        else if (key == "sha256_in_prefix")
            read(value, path.sha256_in_prefix);
        else if (key == "size_in_bytes")
            read(value, entry.size);
        else if (key == "no_link")
            read(value, entry.no_link);
        else if (key == "file_mode") {
            read(value, text);
            entry.mode = text == "binary" ? FileMode::binary : FileMode::text;
        } else if (key == "path_type") {
            read(value, text);
            entry.type = path_type_of(text).value_or(PathType::hardlink);
        }
        return simdjson::SUCCESS;
    });
}

simdjson::error_code read_paths_data(ondemand::value& value, std::vector<InstalledPath>& paths) {
    ondemand::object data;
    if (value.get_object().get(data) != simdjson::SUCCESS) return simdjson::SUCCESS;
    return for_each_member(data, [&](std::string_view key, ondemand::value& member) {
        ondemand::array items;
        if (key != "paths" || member.get_array().get(items) != simdjson::SUCCESS) return simdjson::SUCCESS;
        for (auto item : items) {
            ondemand::object object;
            if (auto code = item.get_object().get(object)) return code;
            if (auto code = read_path(object, paths.emplace_back())) return code;
        }
        return simdjson::SUCCESS;
    });
}

simdjson::error_code read_link(ondemand::value& value, PrefixRecord& record) {
    ondemand::object link;
    if (value.get_object().get(link) != simdjson::SUCCESS) return simdjson::SUCCESS;
    return for_each_member(link, [&](std::string_view key, ondemand::value& member) {
        std::int64_t type = 0;
        if (key == "source")
            read(member, record.link_source);
        else if (key == "type")
            read(member, type);
        if (type >= 1 && type <= 3) record.link_type = static_cast<LinkType>(type);
        return simdjson::SUCCESS;
    });
}

/// Members that are plain text in PackageRecord.
std::string* text_member(PackageRecord& record, std::string_view key) {
    struct Row {
        std::string_view key;
        std::string PackageRecord::*member;
    };
    static constexpr Row rows[] = {
        {"name", &PackageRecord::name},
        {"version", &PackageRecord::version},
        {"build", &PackageRecord::build},
        {"channel", &PackageRecord::channel},
        {"subdir", &PackageRecord::subdir},
        {"fn", &PackageRecord::fn},
        {"url", &PackageRecord::url},
        {"md5", &PackageRecord::md5},
        {"sha256", &PackageRecord::sha256},
        {"legacy_bz2_md5", &PackageRecord::legacy_bz2_md5},
        {"features", &PackageRecord::features},
        {"license", &PackageRecord::license},
        {"license_family", &PackageRecord::license_family},
        {"python_site_packages_path", &PackageRecord::python_site_packages_path},
        {"arch", &PackageRecord::arch},
        {"platform", &PackageRecord::platform},
        {"date", &PackageRecord::date},
    };
    for (const Row& row : rows) {
        if (row.key == key) return &(record.*row.member);
    }
    return nullptr;
}

simdjson::error_code read_package_member(std::string_view key, ondemand::value& value, PackageRecord& record) {
    if (std::string* text = text_member(record, key)) {
        read(value, *text);
        return simdjson::SUCCESS;
    }
    if (key == "build_number")
        read(value, record.build_number);
    else if (key == "size")
        read(value, record.size);
    else if (key == "legacy_bz2_size")
        read(value, record.legacy_bz2_size);
    else if (key == "timestamp")
        read_timestamp(value, record.timestamp);
    else if (key == "noarch")
        record.noarch = read_noarch(value);
    else if (key == "depends")
        return read(value, record.depends);
    else if (key == "constrains")
        return read(value, record.constrains);
    else if (key == "track_features")
        return read_words(value, record.track_features);
    return simdjson::SUCCESS;
}

simdjson::error_code read_member(std::string_view key, ondemand::value& value, PrefixRecord& record,
                                 RecordDetail detail, std::string& build_string, std::string& requested_spec) {
    if (key == "files" || key == "paths_data") {
        if (detail == RecordDetail::identity) return simdjson::SUCCESS;
        return key == "files" ? read(value, record.files) : read_paths_data(value, record.paths);
    }
    if (key == "build_string")
        read(value, build_string);
    else if (key == "requested_spec")
        read(value, requested_spec);
    else if (key == "requested_specs")
        return read(value, record.requested_specs);
    else if (key == "package_tarball_full_path")
        read(value, record.package_tarball_full_path);
    else if (key == "extracted_package_dir")
        read(value, record.extracted_package_dir);
    else if (key == "link")
        return read_link(value, record);
    else
        return read_package_member(key, value, record.package);
    return simdjson::SUCCESS;
}

bool strip_last_component(std::string& url, std::string_view component) {
    while (!url.empty() && url.back() == '/') url.pop_back();
    if (component.empty() || !url.ends_with(component)) return false;
    const std::size_t cut = url.size() - component.size();
    if (cut == 0 || url[cut - 1] != '/') return false;
    url.resize(cut - 1);
    return true;
}

/// `channel` may be a name, a URL, or either with the subdir (conda-spec 2.5); ours is a URL without it.
void normalise_channel(PackageRecord& record, const ChannelSettings& settings) {
    if (!record.url.empty()) record.url = without_credentials(record.url);
    if (record.fn.empty() && !record.url.empty()) record.fn = record.url.substr(record.url.rfind('/') + 1);
    if (record.channel.find("://") == std::string::npos) {
        std::string name = std::move(record.channel);
        strip_last_component(name, record.subdir);
        record.channel = record.url; // the URL says where the name has led
        if (record.channel.empty() || !strip_last_component(record.channel, record.fn)) {
            record.channel = name.empty() ? name : settings.channel_alias + '/' + name;
            if (name == "defaults" && !settings.default_channels.empty())
                record.channel = settings.default_channels.front();
        }
    }
    record.channel = without_credentials(record.channel);
    strip_last_component(record.channel, record.subdir);
    if (!record.channel.empty()) record.channel_name = canonical_channel_name(record.channel, settings);
}

/// conda writes the path before relocation in paths_data of noarch python packages and the target in `files`, in
/// the same order; ours is the target.
void relocate_paths(PrefixRecord& record) {
    if (record.package.noarch != Noarch::python) return;
    std::size_t listed = 0;
    for (const InstalledPath& path : record.paths) listed += path.entry.type != PathType::directory ? 1 : 0;
    if (listed != record.files.size()) return;
    auto file = record.files.begin();
    for (InstalledPath& path : record.paths) {
        if (path.entry.type == PathType::directory) continue;
        const bool relocated =
            path.entry.path.starts_with("site-packages/") || path.entry.path.starts_with("python-scripts/");
        if (relocated) path.entry.path = *file;
        ++file;
    }
}

} // namespace

Result<PrefixRecord> parse_prefix_record(std::string_view json, const ChannelSettings& settings, RecordDetail detail) {
    const simdjson::padded_string padded(json);
    ondemand::parser parser;
    ondemand::document document;
    ondemand::object top;
    if (auto code = parser.iterate(padded).get(document)) return parse_error(code);
    if (auto code = document.get_object().get(top)) return parse_error(code);
    PrefixRecord record;
    std::string build_string;
    std::string requested_spec;
    const auto code = for_each_member(top, [&](std::string_view key, ondemand::value& value) {
        return read_member(key, value, record, detail, build_string, requested_spec);
    });
    if (code) return parse_error(code);

    PackageRecord& package = record.package;
    if (package.build.empty()) package.build = std::move(build_string);
    if (package.name.empty() || package.version.empty() || package.build.empty()) {
        return make_error(ErrorCode::parse, "not a package record: name, version or build is missing");
    }
    std::transform(package.name.begin(), package.name.end(), package.name.begin(),
                   [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
    if (record.requested_specs.empty() && !requested_spec.empty() && requested_spec != "None") {
        record.requested_specs.push_back(std::move(requested_spec));
    }
    normalise_channel(package, settings);
    relocate_paths(record);
    return record;
}

Result<PackageRecord> parse_package_record(std::string_view json, const ChannelSettings& settings) {
    TAIPAN_TRY(PrefixRecord record, parse_prefix_record(json, settings, RecordDetail::identity));
    return std::move(record.package);
}

} // namespace taipan
