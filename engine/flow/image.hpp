#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "flow/plan.hpp"
#include "flow/session.hpp"

namespace taipan {

/// What an image is to be, as plain data. Everything about containers is in OCI's words.
struct ImageRequest {
    std::string prefix = "/opt/env"; ///< where the environment lies in the image; absolute
    std::string output;              ///< absolute; a directory, or a tar archive
    bool archive = false;
    std::string base; ///< absolute; a layout that the environment is put upon; empty: none
    std::string tag = "latest";
    std::string compression = "zstd"; ///< of the layers: zstd, gzip or none
    std::size_t most_layers = 100;    ///< with those of the base
    std::optional<std::int64_t> source_date_epoch;
    std::optional<std::vector<std::string>> entrypoint, command;
    std::vector<std::pair<std::string, std::string>> environment, labels;
    std::optional<std::string> user, working_directory;
};

/// The layers that most implementations can put over each other.
inline constexpr std::size_t layer_limit = 127;

struct ImageReport {
    struct Layer {
        std::string sha256; ///< hex, of the compressed layer
        std::uint64_t size = 0;
        std::vector<std::string> packages; ///< dist names; empty: the records
        bool cached = false;               ///< was made by an earlier run
    };
    std::vector<Layer> layers; ///< without those of the base
    std::size_t base_layers = 0;
    std::string manifest_sha256;
    std::uint64_t size = 0; ///< of all blobs, those of the base included
};

/// Whether such an image can be written, as far as that is known before its packages are: to be asked before they are
/// looked for. Errors: as of make_image.
Result<void> check_image_request(const Session& session, const ImageRequest& request);

/// Brings the packages of the plan into the cache and writes an OCI image in which they are installed; no environment
/// is made on this machine. The plan's own prefix is of no account. The output appears whole or not at all. Errors: as
/// of apply_plan; invalid_argument for an output that must not be replaced and a base that does not fit; clobber when a
/// path is a file in one package and a directory in another.
Result<ImageReport> make_image(Session& session, const Plan& plan, const ImageRequest& request);

} // namespace taipan
