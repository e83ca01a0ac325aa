#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace taipan {

enum class LayerCompression : std::uint8_t { none, gzip, zstd };

/// `none`, `gzip`, `zstd`; nullopt for another word.
[[nodiscard]] std::optional<LayerCompression> layer_compression_of(std::string_view word);
[[nodiscard]] std::string_view to_string(LayerCompression compression);
/// Of an OCI layer.
[[nodiscard]] std::string_view layer_media_type(LayerCompression compression);

/// Layers are compressed in chunks of so many bytes, each for itself, so that many cores can work on one, and so that
/// the result does not depend on how many do.
inline constexpr std::size_t layer_chunk = std::size_t{4} << 20U;

/// One chunk of a layer.
struct LayerChunk {
    std::string bytes;  ///< as they are in the tar; `layer_chunk` many, but fewer in the last one
    std::string before; ///< the end of the chunk before, which gzip may refer to; up to 32 KiB
    bool last = false;
    std::string packed; ///< what compress_chunk made of it
    std::uint32_t crc = 0;
};

/// Fills `packed` (and `crc` for gzip). Thread-safe. Errors: internal.
Result<void> compress_chunk(LayerCompression compression, LayerChunk& chunk);

/// What stands around the packed chunks in the finished layer; the chunks are told to it in order.
class LayerFrame {
public:
    explicit LayerFrame(LayerCompression compression) : compression_(compression) {}
    [[nodiscard]] std::string head() const;
    void add(const LayerChunk& chunk);
    [[nodiscard]] std::string tail() const;

private:
    LayerCompression compression_;
    std::uint32_t crc_ = 0;
    std::uint64_t size_ = 0;
};

} // namespace taipan
