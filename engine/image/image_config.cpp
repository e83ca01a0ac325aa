#include "image/image_config.hpp"

#include <algorithm>
#include <array>

#include "base/json_writer.hpp"

namespace taipan {

namespace {

constexpr std::string_view config_type = "application/vnd.oci.image.config.v1+json";
constexpr std::string_view manifest_type = "application/vnd.oci.image.manifest.v1+json";
constexpr std::string_view index_type = "application/vnd.oci.image.index.v1+json";

void write_descriptor(JsonWriter& json, std::string_view media_type, const ImageBlob& blob) {
    json.member("mediaType", media_type).member("digest", oci_digest(blob.sha256)).member("size", blob.size);
}

} // namespace

std::optional<ImagePlatform> image_platform(std::string_view subdir) {
    struct Row {
        std::string_view subdir, architecture, variant;
    };
    static constexpr std::array rows = {
        Row{"linux-64", "amd64", ""},        Row{"linux-aarch64", "arm64", "v8"}, Row{"linux-32", "386", ""},
        Row{"linux-armv7l", "arm", "v7"},    Row{"linux-armv6l", "arm", "v6"},    Row{"linux-ppc64le", "ppc64le", ""},
        Row{"linux-riscv64", "riscv64", ""}, Row{"linux-s390x", "s390x", ""},     Row{"linux-ppc64", "ppc64", ""},
    };
    for (const Row& row : rows) {
        if (row.subdir == subdir) return ImagePlatform{std::string(row.architecture), std::string(row.variant)};
    }
    return std::nullopt;
}

std::string image_manifest_json(const ImageDescription& image, const ImageBlob& config) {
    JsonWriter json;
    json.begin_object().member("schemaVersion", 2).member("mediaType", manifest_type);
    json.key("config").begin_object();
    write_descriptor(json, config_type, config);
    json.end_object();
    json.key("layers").begin_array();
    const auto write = [&](const std::vector<ImageLayer>& layers) {
        for (const ImageLayer& layer : layers) {
            json.begin_object();
            write_descriptor(json, layer.media_type, layer.blob);
            json.end_object();
        }
    };
    if (image.base != nullptr) write(image.base->layers);
    write(image.layers);
    return json.end_array().end_object().take();
}

std::string image_index_json(const ImageDescription& image, const ImageBlob& manifest, const std::string& tag) {
    JsonWriter json;
    json.begin_object().member("schemaVersion", 2).member("mediaType", index_type);
    json.key("manifests").begin_array().begin_object();
    write_descriptor(json, manifest_type, manifest);
    json.key("platform").begin_object().member("architecture", image.platform.architecture).member("os", "linux");
    if (!image.platform.variant.empty()) json.member("variant", image.platform.variant);
    json.end_object();
    json.key("annotations").begin_object().member("org.opencontainers.image.ref.name", tag).end_object();
    return json.end_object().end_array().end_object().take();
}

std::optional<std::string> docker_tag(std::string_view tag) {
    constexpr std::string_view small = "abcdefghijklmnopqrstuvwxyz0123456789", marks = "._-/:";
    const auto fits = [&](char c) {
        return small.find(c) != std::string_view::npos || marks.find(c) != std::string_view::npos;
    };
    const std::size_t colon = tag.rfind(':');
    const bool tagged = colon != std::string_view::npos && tag.find('/', colon) == std::string_view::npos;
    const std::string_view name = tagged ? tag.substr(0, colon) : tag;
    if (name == "latest" || name.empty() || !std::all_of(name.begin(), name.end(), fits)) return std::nullopt;
    return std::string(tag) + (tagged ? "" : ":latest");
}

std::string docker_manifest_json(const ImageDescription& image, const ImageBlob& config, const std::string& tag) {
    JsonWriter json;
    json.begin_array().begin_object().member("Config", blob_path(config.sha256));
    json.key("RepoTags").begin_array();
    if (const auto name = docker_tag(tag)) json.value(*name);
    json.end_array();
    json.key("Layers").begin_array();
    if (image.base != nullptr) {
        for (const ImageLayer& layer : image.base->layers) json.value(blob_path(layer.blob.sha256));
    }
    for (const ImageLayer& layer : image.layers) json.value(blob_path(layer.blob.sha256));
    return json.end_array().end_object().end_array().take();
}

} // namespace taipan
