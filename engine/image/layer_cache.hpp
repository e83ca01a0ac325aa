#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/filesystem.hpp"
#include "base/result.hpp"

namespace taipan {

/// A layer as a file, and what an image must say of it.
struct StoredLayer {
    std::string path;   ///< of the compressed layer
    std::string sha256; ///< of the compressed layer, hex
    std::uint64_t size = 0;
    std::string diff_id; ///< sha256 of the tar in it, hex
    /// What was rewritten for the prefix: (package of the layer, index in its plan's paths) and the sha256.
    struct Digest {
        std::size_t package = 0, path = 0;
        std::string sha256;
    };
    std::vector<Digest> rewritten;
};

/// Finished image layers, kept beside the package cache (`<cache>/.taipan-layers/<key>` and `<key>.layer`). A key names
/// everything that decides about the layer's bytes. An entry appears whole, by rename, and may be removed at any time.
class LayerCache {
public:
    /// `packages_directory` is a writable package cache.
    explicit LayerCache(const std::string& packages_directory) : directory_(packages_directory + "/.taipan-layers") {}

    /// The entry of that key, if it is there and complete; it counts as used now.
    [[nodiscard]] std::optional<StoredLayer> find(const std::string& key) const;
    /// A file to write the layer of that key into.
    Result<AtomicFile> begin(const std::string& key) const;
    /// Publishes it; fills in `layer.path`.
    Result<void> publish(const std::string& key, AtomicFile file, StoredLayer& layer) const;

private:
    [[nodiscard]] std::string layer_path(const std::string& key) const { return directory_ + '/' + key + ".layer"; }
    std::string directory_;
};

} // namespace taipan
