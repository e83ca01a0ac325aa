#pragma once

#include <string>

#include "base/result.hpp"
#include "image/image_config.hpp"

namespace taipan {

/// The image for that platform in a layout (a directory or a tar archive). Errors: parse, checksum_mismatch,
/// invalid_argument when it has none for the platform.
Result<BaseImage> read_base_image(const std::string& path, const ImagePlatform& platform);

} // namespace taipan
