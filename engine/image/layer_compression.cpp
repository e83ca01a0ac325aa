// gzip: one member whose deflate blocks are made chunk by chunk, as pigz does: each chunk starts with the last 32 KiB
// of the one before as its dictionary and ends on a byte, so chunks can simply follow each other. zstd: a frame a
// chunk.

#include "image/layer_compression.hpp"

#include <memory>

#include <zlib.h>
#include <zstd.h>

namespace taipan {

namespace {

constexpr int gzip_level = 6, zstd_level = 3;

struct EndDeflate {
    void operator()(z_stream* stream) const {
        ::deflateEnd(stream);
        delete stream; // NOLINT(cppcoreguidelines-owning-memory): made in `deflater`
    }
};

struct FreeContext {
    void operator()(ZSTD_CCtx* context) const { ZSTD_freeCCtx(context); }
};

Error failed(std::string_view library, std::string_view why) {
    return make_error(ErrorCode::internal,
                      "cannot compress an image layer: " + std::string(library) + ": " + std::string(why));
}

const Bytef* bytes_of(const std::string& text) { return reinterpret_cast<const Bytef*>(text.data()); } // NOLINT

Result<std::unique_ptr<z_stream, EndDeflate>> deflater() {
    auto stream = std::make_unique<z_stream>();
    *stream = {};
    constexpr int raw_window = -15, memory_level = 8;
    if (::deflateInit2(stream.get(), gzip_level, Z_DEFLATED, raw_window, memory_level, Z_DEFAULT_STRATEGY) != Z_OK) {
        return failed("zlib", "not enough memory");
    }
    return std::unique_ptr<z_stream, EndDeflate>(stream.release());
}

Result<void> deflate_chunk(LayerChunk& chunk) {
    TAIPAN_TRY(const auto stream, deflater());
    if (!chunk.before.empty() &&
        ::deflateSetDictionary(stream.get(), bytes_of(chunk.before), static_cast<uInt>(chunk.before.size())) != Z_OK) {
        return failed("zlib", "it refuses a dictionary");
    }
    constexpr std::size_t flush_space = 64;
    chunk.packed.resize(::deflateBound(stream.get(), chunk.bytes.size()) + flush_space);
    stream->next_in = const_cast<Bytef*>(bytes_of(chunk.bytes)); // NOLINT: zlib does not write there
    stream->avail_in = static_cast<uInt>(chunk.bytes.size());
    stream->next_out = reinterpret_cast<Bytef*>(chunk.packed.data()); // NOLINT
    stream->avail_out = static_cast<uInt>(chunk.packed.size());
    const int code = ::deflate(stream.get(), chunk.last ? Z_FINISH : Z_SYNC_FLUSH);
    if (code != (chunk.last ? Z_STREAM_END : Z_OK) || stream->avail_in != 0 || stream->avail_out == 0) {
        return failed("zlib", "it did not take all bytes");
    }
    chunk.packed.resize(stream->total_out);
    chunk.crc = static_cast<std::uint32_t>(::crc32(0, bytes_of(chunk.bytes), static_cast<uInt>(chunk.bytes.size())));
    return {};
}

Result<void> zstd_chunk(LayerChunk& chunk) {
    const std::unique_ptr<ZSTD_CCtx, FreeContext> context(ZSTD_createCCtx());
    if (!context) return failed("zstd", "not enough memory");
    for (const auto& [parameter, value] :
         {std::pair{ZSTD_c_compressionLevel, zstd_level}, std::pair{ZSTD_c_checksumFlag, 1}}) {
        const std::size_t code = ZSTD_CCtx_setParameter(context.get(), parameter, value);
        if (ZSTD_isError(code) != 0) return failed("zstd", ZSTD_getErrorName(code));
    }
    chunk.packed.resize(ZSTD_compressBound(chunk.bytes.size()));
    const std::size_t size =
        ZSTD_compress2(context.get(), chunk.packed.data(), chunk.packed.size(), chunk.bytes.data(), chunk.bytes.size());
    if (ZSTD_isError(size) != 0) return failed("zstd", ZSTD_getErrorName(size));
    chunk.packed.resize(size);
    return {};
}

void append_little_endian(std::string& out, std::uint32_t number) {
    for (int i = 0; i < 4; ++i, number >>= 8U) out += static_cast<char>(number & 0xffU);
}

} // namespace

std::optional<LayerCompression> layer_compression_of(std::string_view word) {
    for (const auto compression : {LayerCompression::none, LayerCompression::gzip, LayerCompression::zstd}) {
        if (to_string(compression) == word) return compression;
    }
    return std::nullopt;
}

std::string_view to_string(LayerCompression compression) {
    switch (compression) {
    case LayerCompression::none: return "none";
    case LayerCompression::gzip: return "gzip";
    case LayerCompression::zstd: return "zstd";
    }
    return "";
}

std::string_view layer_media_type(LayerCompression compression) {
    switch (compression) {
    case LayerCompression::none: return "application/vnd.oci.image.layer.v1.tar";
    case LayerCompression::gzip: return "application/vnd.oci.image.layer.v1.tar+gzip";
    case LayerCompression::zstd: return "application/vnd.oci.image.layer.v1.tar+zstd";
    }
    return "";
}

Result<void> compress_chunk(LayerCompression compression, LayerChunk& chunk) {
    switch (compression) {
    case LayerCompression::none: chunk.packed = chunk.bytes; return {};
    case LayerCompression::gzip: return deflate_chunk(chunk);
    case LayerCompression::zstd: return zstd_chunk(chunk);
    }
    return make_error(ErrorCode::internal, "unknown layer compression");
}

std::string LayerFrame::head() const {
    if (compression_ != LayerCompression::gzip) return {};
    // Deflate, no flags, no time, no extra flags, unknown system.
    return {'\x1f', '\x8b', '\x08', '\0', '\0', '\0', '\0', '\0', '\0', '\xff'};
}

void LayerFrame::add(const LayerChunk& chunk) {
    if (compression_ == LayerCompression::gzip) {
        crc_ = static_cast<std::uint32_t>(::crc32_combine(crc_, chunk.crc, static_cast<z_off_t>(chunk.bytes.size())));
    }
    size_ += chunk.bytes.size();
}

std::string LayerFrame::tail() const {
    std::string tail;
    if (compression_ != LayerCompression::gzip) return tail;
    append_little_endian(tail, crc_);
    append_little_endian(tail, static_cast<std::uint32_t>(size_ & 0xffffffffU));
    return tail;
}

} // namespace taipan
