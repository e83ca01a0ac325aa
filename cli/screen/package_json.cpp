#include "screen/package_json.hpp"

namespace taipan::cli {

namespace {

void member_if(JsonWriter& json, std::string_view key, const std::string& text) {
    if (!text.empty()) json.member(key, text);
}

} // namespace

std::string short_channel_name(const PackageRecord& record, const ChannelSettings& settings) {
    std::string_view url = record.channel;
    if (url.empty()) return record.channel_name;
    if (url.starts_with("file://")) return std::string(url.substr(url.rfind('/') + 1));
    std::string_view alias = settings.channel_alias;
    while (alias.ends_with('/')) alias.remove_suffix(1);
    if (url.starts_with(alias) && url.size() > alias.size() + 1) return std::string(url.substr(alias.size() + 1));
    const auto scheme = url.find("://");
    const auto path = scheme == std::string_view::npos ? scheme : url.find('/', scheme + 3);
    return path == std::string_view::npos ? std::string() : std::string(url.substr(path + 1)); // as conda prints it
}

void write_package(JsonWriter& json, const PackageRecord& record, const ChannelSettings& settings,
                   std::optional<std::uint64_t> size) {
    json.begin_object();
    json.member("base_url", record.channel);
    json.member("build_number", record.build_number);
    json.member("build_string", record.build);
    json.member("channel", short_channel_name(record, settings));
    json.member("dist_name", record.dist_name());
    json.member("name", record.name);
    json.member("platform", record.subdir);
    if (size) json.member("size", *size);
    json.member("version", record.version);
    json.end_object();
}

void write_full_record(JsonWriter& json, const PackageRecord& record, bool in_search) {
    json.begin_object();
    if (in_search) { // conda's search has these keys, and never a value
        json.key("arch").null();
        json.key("platform").null();
    }
    json.member("build", record.build);
    json.member("build_number", record.build_number);
    json.member("channel", record.channel + '/' + record.subdir);
    json.member("constrains", record.constrains);
    json.member("depends", record.depends);
    member_if(json, "features", record.features);
    json.member("fn", record.fn);
    if (!record.legacy_bz2_md5.empty()) json.member("legacy_bz2_md5", record.legacy_bz2_md5);
    if (record.legacy_bz2_size) json.member("legacy_bz2_size", *record.legacy_bz2_size);
    member_if(json, "license", record.license);
    member_if(json, "license_family", record.license_family);
    member_if(json, "md5", record.md5);
    json.member("name", record.name);
    if (record.noarch != Noarch::none) {
        const bool python = record.noarch == Noarch::python;
        json.member("noarch", python ? "python" : "generic");
        json.member("package_type", python ? "noarch_python" : "noarch_generic");
    }
    member_if(json, "python_site_packages_path", record.python_site_packages_path);
    member_if(json, "sha256", record.sha256);
    if (record.size) json.member("size", *record.size);
    json.member("subdir", record.subdir);
    if (record.timestamp) json.member("timestamp", *record.timestamp);
    member_if(json, "track_features", record.track_features);
    json.member("url", record.url);
    json.member("version", record.version);
    json.end_object();
}

namespace {

/// mamba's lists tell all of a package, under both of its names for build and channel.
void write_mamba_package(JsonWriter& json, const PackageRecord& record, const ChannelSettings& settings) {
    json.begin_object();
    json.member("base_url", record.channel).member("build", record.build).member("build_number", record.build_number);
    json.member("build_string", record.build);
    const auto name = short_channel_name(record, settings);
    const bool has_name = canonical_channel_name(record.channel, settings).find("://") == std::string::npos;
    const bool by_name = has_name && !record.channel.starts_with("file://") && record.channel.ends_with('/' + name);
    json.member("channel", by_name ? name : record.channel);
    json.member("constrains", record.constrains).member("depends", record.depends);
    json.member("dist_name", record.dist_name()).member("fn", record.fn);
    member_if(json, "license", record.license);
    member_if(json, "md5", record.md5);
    json.member("name", record.name);
    if (record.noarch != Noarch::none) json.member("noarch", record.noarch == Noarch::python ? "python" : "generic");
    json.member("platform", record.subdir);
    member_if(json, "python_site_packages_path", record.python_site_packages_path);
    member_if(json, "sha256", record.sha256);
    if (record.size) json.member("size", *record.size);
    json.member("subdir", record.subdir);
    if (record.timestamp) json.member("timestamp", *record.timestamp);
    json.member("track_features", record.track_features).member("url", record.url).member("version", record.version);
    json.end_object();
}

void write_actions(JsonWriter& json, const Plan& plan, const std::string& prefix, const ChannelSettings& settings,
                   bool of_mamba) {
    const auto write = of_mamba ? [](JsonWriter& out, const PackageRecord& record,
                                     const ChannelSettings& how) { write_mamba_package(out, record, how); }
                                : [](JsonWriter& out, const PackageRecord& record, const ChannelSettings& how) {
                                      write_package(out, record, how);
                                  };
    json.key("actions").begin_object();
    json.key("FETCH").begin_array();
    for (const auto& package : plan.link) {
        if (package.cached != CacheState::missing) continue;
        if (of_mamba)
            write_mamba_package(json, package.record, settings);
        else
            write_full_record(json, package.record);
    }
    json.end_array();
    if (!plan.link.empty()) { // as with conda, there is no empty LINK
        json.key("LINK").begin_array();
        for (const auto& package : plan.link) write(json, package.record, settings);
        json.end_array();
    }
    json.member("PREFIX", prefix);
    if (!plan.unlink.empty()) {
        json.key("UNLINK").begin_array();
        for (const auto& record : plan.unlink) write(json, record, settings);
        json.end_array();
    }
    json.end_object();
}

} // namespace

std::string plan_json(const PlanDocument& document, const ChannelSettings& settings) {
    JsonWriter json;
    json.begin_object();
    if (document.plan != nullptr) write_actions(json, *document.plan, document.prefix, settings, document.as_mamba);
    const bool clone = document.plan != nullptr && !document.plan->clone_of.empty();
    if (document.dry_run || document.as_mamba) json.member("dry_run", document.dry_run);
    if (clone) json.member("dst_prefix", document.prefix);
    if (!document.message.empty()) json.member("message", document.message);
    member_if(json, "prefix", document.prefix);
    if (document.left_out) {
        json.key("slim").begin_object();
        json.member("bytes", document.left_out->second);
        json.member("files", document.left_out->first);
        json.end_object();
    }
    if (clone) json.member("src_prefix", document.plan->clone_of);
    json.member("success", true);
    if (clone) json.member("untracked_files", document.plan->untracked_files);
    json.end_object();
    return json.take() + "\n";
}

} // namespace taipan::cli
