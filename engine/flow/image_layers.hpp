#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "flow/image_contents.hpp"
#include "flow/session.hpp"
#include "image/layer_cache.hpp"
#include "image/layer_compression.hpp"
#include "image/tar_stream.hpp"

namespace taipan {

/// Makes layers, or finds them in the cache. Thread-safe.
class LayerMaker {
public:
    LayerMaker(Session& session, std::string prefix, LayerCompression compression, LayerCache cache)
        : session_(session), prefix_(std::move(prefix)), compression_(compression), cache_(std::move(cache)) {}

    struct Made {
        StoredLayer layer;
        bool cached = false;
    };
    /// The files of these packages, as they lie in the prefix.
    Result<Made> package_layer(const std::vector<const ImagePackage*>& packages) const;
    /// A layer of these items, whose paths are relative to the prefix; sorted, without directories.
    Result<Made> layer_of(std::vector<TarItem> items, std::int64_t moment) const;

private:
    class PackageItems;

    [[nodiscard]] std::string key_of(const std::vector<const ImagePackage*>& packages) const;
    Result<void> compress(TarStream& stream, AtomicFile& file, StoredLayer& layer) const;

    Session& session_;
    std::string prefix_; ///< absolute
    LayerCompression compression_;
    LayerCache cache_;
};

/// When a package was made, in seconds since the epoch; the first day of 1980 when it does not say so.
[[nodiscard]] std::int64_t moment_of_package(const PackageRecord& record);

} // namespace taipan
