#pragma once

#include <cstdint>
#include <string>

namespace taipan {

/// One content-addressed part of an image, and where its bytes are.
struct ImageBlob {
    std::string sha256; ///< hex
    std::uint64_t size = 0;
    std::string file; ///< empty: `bytes` is it
    std::uint64_t offset = 0;
    bool whole_file = false; ///< the file is nothing else, so a hard link will do
    bool foreign = false;    ///< comes from somebody else: its digest is compared while it is copied
    std::string bytes;
};

/// How OCI writes digests: `sha256:<hex>`.
[[nodiscard]] inline std::string oci_digest(const std::string& sha256) { return "sha256:" + sha256; }
/// Where a layout has the blob of a hex digest.
[[nodiscard]] inline std::string blob_path(const std::string& sha256) { return "blobs/sha256/" + sha256; }

} // namespace taipan
