#include "image/base_image.hpp"

#include <simdjson.h>

#include "image/layout_source.hpp"

namespace taipan {

namespace {

namespace dom = simdjson::dom;

constexpr int deepest_index = 4;

std::string text_of(const dom::element& object, std::string_view key) {
    std::string_view text;
    return object[key].get(text) == simdjson::SUCCESS ? std::string(text) : std::string();
}

Error malformed(const LayoutSource& source, std::string_view what) {
    return make_error(ErrorCode::parse, source.path() + ": its " + std::string(what) + " is malformed");
}

bool is_index(std::string_view media_type) {
    return media_type == "application/vnd.oci.image.index.v1+json" ||
           media_type == "application/vnd.docker.distribution.manifest.list.v2+json";
}

/// Docker's names for what OCI has too.
std::string oci_layer_type(std::string_view media_type) {
    if (media_type == "application/vnd.docker.image.rootfs.diff.tar.gzip") {
        return "application/vnd.oci.image.layer.v1.tar+gzip";
    }
    if (media_type == "application/vnd.docker.image.rootfs.diff.tar") return "application/vnd.oci.image.layer.v1.tar";
    return std::string(media_type);
}

/// An arm64 image that says nothing of a variant is v8 as well.
bool is_for(const dom::element& described, const ImagePlatform& platform) {
    const std::string os = text_of(described, "os"), variant = text_of(described, "variant");
    if (text_of(described, "architecture") != platform.architecture || (!os.empty() && os != "linux")) return false;
    return variant.empty() || platform.variant.empty() || variant == platform.variant;
}

/// The digest of the manifest for the platform.
Result<std::string> choose(const LayoutSource& source, const std::string& index, const ImagePlatform& platform,
                           int depth) {
    if (depth > deepest_index) return malformed(source, "index");
    dom::parser parser;
    dom::element top;
    dom::array manifests;
    if (parser.parse(index).get(top) != simdjson::SUCCESS || top["manifests"].get(manifests) != simdjson::SUCCESS) {
        return malformed(source, "index");
    }
    for (const dom::element manifest : manifests) {
        dom::element described;
        const bool told = manifest["platform"].get(described) == simdjson::SUCCESS;
        if (told && !is_for(described, platform)) continue;
        const std::string digest = text_of(manifest, "digest");
        if (!is_index(text_of(manifest, "mediaType"))) return digest;
        TAIPAN_TRY(const auto nested, source.read(digest));
        return choose(source, nested, platform, depth + 1);
    }
    return make_error(ErrorCode::invalid_argument,
                      source.path() + " has no image for linux/" + platform.architecture +
                          "; use another base image, or --platform for packages that fit it");
}

Result<void> read_layers(const LayoutSource& source, const dom::element& manifest, BaseImage& base) {
    dom::array layers;
    if (manifest["layers"].get(layers) != simdjson::SUCCESS) return malformed(source, "manifest");
    for (const dom::element described : layers) {
        ImageLayer layer;
        layer.media_type = oci_layer_type(text_of(described, "mediaType"));
        TAIPAN_TRY(layer.blob, source.find(text_of(described, "digest")));
        std::uint64_t size = 0;
        if (described["size"].get(size) != simdjson::SUCCESS || size != layer.blob.size) {
            return make_error(ErrorCode::parse, source.path() + ": the layer sha256:" + layer.blob.sha256 +
                                                    " is not as long as it should be");
        }
        base.layers.push_back(std::move(layer));
    }
    return {};
}

Result<void> read_config(const LayoutSource& source, const ImagePlatform& platform, BaseImage& base) {
    dom::parser parser;
    dom::element config;
    if (parser.parse(base.config_json).get(config) != simdjson::SUCCESS || !config.is_object()) {
        return malformed(source, "configuration");
    }
    if (!is_for(config, platform)) {
        return make_error(ErrorCode::invalid_argument, source.path() + " is an image for " + text_of(config, "os") +
                                                           "/" + text_of(config, "architecture") +
                                                           ", but the packages are for linux/" + platform.architecture +
                                                           "; use another base image, or --platform");
    }
    dom::array diff_ids;
    if (config["rootfs"]["diff_ids"].get(diff_ids) != simdjson::SUCCESS || diff_ids.size() != base.layers.size()) {
        return malformed(source, "configuration");
    }
    std::size_t number = 0;
    for (const dom::element item : diff_ids) {
        std::string_view digest;
        if (item.get(digest) != simdjson::SUCCESS || !digest.starts_with("sha256:")) {
            return malformed(source, "configuration");
        }
        base.layers[number++].diff_id = digest.substr(7);
    }
    return {};
}

} // namespace

Result<BaseImage> read_base_image(const std::string& path, const ImagePlatform& platform) {
    TAIPAN_TRY(const auto source, LayoutSource::open(path));
    TAIPAN_TRY(const auto index, source.read_index());
    TAIPAN_TRY(const auto digest, choose(source, index, platform, 0));
    TAIPAN_TRY(const auto text, source.read(digest));
    dom::parser parser;
    dom::element manifest, config;
    if (parser.parse(text).get(manifest) != simdjson::SUCCESS || manifest["config"].get(config) != simdjson::SUCCESS) {
        return malformed(source, "manifest");
    }
    BaseImage base;
    base.platform = platform;
    TAIPAN_TRY(base.config_json, source.read(text_of(config, "digest")));
    TAIPAN_CHECK(read_layers(source, manifest, base));
    TAIPAN_CHECK(read_config(source, platform, base));
    return base;
}

} // namespace taipan
