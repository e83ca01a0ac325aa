#pragma once

#include <string>
#include <vector>

#include "base/result.hpp"
#include "image/blob.hpp"

namespace taipan {

/// Fails when `path` is something that a layout must not replace: anything but a free name, an empty directory, or a
/// layout with one image. To be asked before any work is done.
Result<void> check_layout_target(const std::string& path, bool archive);

/// Writes an OCI image layout as a directory. It appears whole, in place of one that is there. Blobs that are files are
/// hard-linked where that works. Errors: checksum_mismatch for a foreign blob that is not what its name says.
Result<void> write_layout_directory(const std::string& path, const std::vector<ImageBlob>& blobs,
                                    const std::string& index_json);
/// The same as a tar archive (`oci-archive`), which `docker load` reads as well by its `manifest.json`.
Result<void> write_layout_archive(const std::string& path, const std::vector<ImageBlob>& blobs,
                                  const std::string& index_json, const std::string& docker_manifest_json);

} // namespace taipan
