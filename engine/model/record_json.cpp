// Records as JSON: conda's own files are the interface here, so the order of keys, the indentation and what is left
// out follow them (conda-spec 2.5, 4.2).

#include "model/record_json.hpp"

#include <utility>

#include "base/json_writer.hpp"
#include "model/match_spec.hpp"

namespace taipan {

namespace {

void member_if(JsonWriter& json, std::string_view key, const std::string& text) {
    if (!text.empty()) json.member(key, text);
}

template <class Number> void member_if(JsonWriter& json, std::string_view key, const std::optional<Number>& number) {
    if (number) json.member(key, *number);
}

std::string channel_with_subdir(const PackageRecord& record) {
    return record.subdir.empty() ? record.channel : record.channel + '/' + record.subdir;
}

void write_package(JsonWriter& json, const PackageRecord& record) {
    json.member("name", record.name).member("version", record.version).member("build", record.build);
    json.member("build_number", record.build_number);
    json.member("channel", channel_with_subdir(record)).member("subdir", record.subdir).member("fn", record.fn);
    member_if(json, "md5", record.md5);
    member_if(json, "legacy_bz2_md5", record.legacy_bz2_md5);
    member_if(json, "legacy_bz2_size", record.legacy_bz2_size);
    json.member("url", record.url);
    member_if(json, "sha256", record.sha256);
    member_if(json, "arch", record.arch);
    member_if(json, "platform", record.platform);
    json.member("depends", record.depends).member("constrains", record.constrains);
    member_if(json, "track_features", record.track_features);
    member_if(json, "features", record.features);
    const char* noarch = record.noarch == Noarch::python ? "python" : "generic";
    if (record.noarch != Noarch::none) json.member("noarch", noarch);
    member_if(json, "python_site_packages_path", record.python_site_packages_path);
    member_if(json, "license", record.license);
    member_if(json, "license_family", record.license_family);
    if (record.noarch != Noarch::none) json.member("package_type", std::string("noarch_") + noarch);
    member_if(json, "timestamp", record.timestamp);
    member_if(json, "date", record.date);
    member_if(json, "size", record.size);
}

std::string_view path_type_name(PathType type) {
    switch (type) {
    case PathType::hardlink: return "hardlink";
    case PathType::softlink: return "softlink";
    case PathType::directory: return "directory";
    case PathType::pyc_file: return "pyc_file";
    case PathType::unix_python_entry_point: return "unix_python_entry_point";
    }
    return "hardlink";
}

void write_path(JsonWriter& json, const InstalledPath& path) {
    const PathEntry& entry = path.entry;
    json.begin_object().member("_path", entry.path);
    if (!entry.placeholder.empty()) {
        json.member("prefix_placeholder", entry.placeholder);
        json.member("file_mode", entry.mode == FileMode::binary ? "binary" : "text");
    }
    if (entry.no_link) json.member("no_link", true);
    json.member("path_type", path_type_name(entry.type));
    member_if(json, "sha256", entry.sha256);
    member_if(json, "size_in_bytes", entry.size);
    member_if(json, "sha256_in_prefix", path.sha256_in_prefix);
    json.end_object();
}

/// Canonical specs of one package as the single spec that `requested_spec` has been before the list form. Specs that
/// cannot be merged are rare and contradict each other; the first one stands for them.
std::string merged_spec(const std::vector<std::string>& specs) {
    if (specs.size() == 1) return specs.front();
    auto merged = MatchSpec::parse(specs.front());
    for (std::size_t i = 1; merged && i < specs.size(); ++i) {
        const auto next = MatchSpec::parse(specs[i]);
        if (!next) return specs.front();
        merged = merge(*merged, *next);
    }
    return merged ? merged->to_string() : specs.front();
}

} // namespace

std::string repodata_record_json(const PackageRecord& record) {
    JsonWriter json;
    json.begin_object();
    write_package(json, record);
    json.end_object();
    return json.take();
}

void write_prefix_record_json(JsonWriter& json, const PrefixRecord& record) {
    json.begin_object();
    write_package(json, record.package);
    if (!record.requested_specs.empty()) json.member("requested_spec", merged_spec(record.requested_specs));
    json.member("package_tarball_full_path", record.package_tarball_full_path);
    json.member("extracted_package_dir", record.extracted_package_dir);
    json.member("files", record.files);
    json.key("paths_data").begin_object().member("paths_version", 1).key("paths").begin_array();
    for (const InstalledPath& path : record.paths) write_path(json, path);
    json.end_array().end_object();
    json.key("link").begin_object().member("source", record.link_source);
    json.member("type", static_cast<int>(record.link_type)).end_object();
    if (!record.requested_specs.empty()) json.member("requested_specs", record.requested_specs);
    json.end_object();
}

std::string prefix_record_json(const PrefixRecord& record) {
    JsonWriter json;
    write_prefix_record_json(json, record);
    return json.take();
}

PackageRecord merge_records(PackageRecord base, const PackageRecord& index) {
    const auto fill = [](auto& field, const auto& value) {
        if (field.empty()) field = value;
    };
    fill(base.subdir, index.subdir);
    fill(base.track_features, index.track_features);
    fill(base.features, index.features);
    fill(base.license, index.license);
    fill(base.license_family, index.license_family);
    fill(base.python_site_packages_path, index.python_site_packages_path);
    fill(base.arch, index.arch);
    fill(base.platform, index.platform);
    if (base.noarch == Noarch::none) base.noarch = index.noarch;
    if (!base.timestamp) base.timestamp = index.timestamp;
    return base;
}

} // namespace taipan
