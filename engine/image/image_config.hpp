#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.hpp"
#include "image/blob.hpp"

namespace taipan {

/// What an image is for, in OCI's words.
struct ImagePlatform {
    std::string architecture, variant; ///< `amd64`; `v8` or empty
    bool operator==(const ImagePlatform&) const = default;
};
/// Of a conda subdir; nullopt when there are no such images (only Linux has them).
[[nodiscard]] std::optional<ImagePlatform> image_platform(std::string_view subdir);

/// What the user says of the containers that will be made from the image.
struct ImageSettings {
    std::optional<std::vector<std::string>> entrypoint, command;
    std::vector<std::pair<std::string, std::string>> environment, labels;
    std::optional<std::string> user, working_directory;
};

/// One layer of an image, from the bottom up.
struct ImageLayer {
    std::string media_type, diff_id; ///< diff_id: hex sha256 of the tar
    std::string made_of;             ///< for the image's history
    ImageBlob blob;
};

/// An image that ours is put upon.
struct BaseImage {
    std::string config_json;
    ImagePlatform platform;
    std::vector<ImageLayer> layers;
};

/// All that an image's configuration is made of.
struct ImageDescription {
    ImagePlatform platform;
    std::string created; ///< RFC 3339
    std::string prefix;  ///< of the environment
    ImageSettings settings;
    const BaseImage* base = nullptr;
    std::vector<ImageLayer> layers; ///< without those of the base
};

/// The configuration: the base's, with the environment's `PATH` and `CONDA_PREFIX` and then the settings put over it.
/// As in a Dockerfile, another entrypoint makes the base's command void. Errors: parse.
Result<std::string> image_config_json(const ImageDescription& image);
[[nodiscard]] std::string image_manifest_json(const ImageDescription& image, const ImageBlob& config);
/// `index.json` of a layout with this one image.
[[nodiscard]] std::string image_index_json(const ImageDescription& image, const ImageBlob& manifest,
                                           const std::string& tag);
/// What Docker calls an image of that tag: a name without tag is `:latest`. nullopt when the tag has no name in it, or
/// one that Docker does not allow.
[[nodiscard]] std::optional<std::string> docker_tag(std::string_view tag);
/// `manifest.json` of an archive with this one image: what `docker load` and `docker-archive:` read. Blobs are named as
/// they lie in the layout.
[[nodiscard]] std::string docker_manifest_json(const ImageDescription& image, const ImageBlob& config,
                                               const std::string& tag);

} // namespace taipan
