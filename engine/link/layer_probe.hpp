#pragma once

#include <cstdint>

#include "base/filesystem.hpp"

namespace taipan {

/// Whether files of this directory may lie in different layers: overlayfs.
[[nodiscard]] bool is_layered(int directory_fd);

/// Finds out whether a hard link to a file of a package copies the file. That is what overlayfs does with a file of a
/// lower layer (an image's, say): it is silently copied to the upper one first, so that a link costs what a copy costs,
/// and the cache is written to besides. Nothing tells the layer of a file but where its bytes lie on the device: before
/// and after a link. On other file systems nothing is done.
class LayerProbe {
public:
    /// To be made before `info/index.json` of the package is linked.
    explicit LayerProbe(int package_fd);
    /// And asked afterwards. False also where that cannot be known.
    [[nodiscard]] bool link_has_copied() const;

private:
    int package_fd_;
    bool in_two_layers_ = false; ///< and so partly in a lower one, whatever the link shows
    std::uint64_t place_ = 0;    ///< on the device; 0 when it is not known
};

} // namespace taipan
