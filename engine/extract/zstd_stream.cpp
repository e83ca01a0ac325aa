// The zstd half of a .conda archive.
//
// Problem: packages are compressed at level 19 and above with windows far beyond zstd's default limit, may consist of
// several frames, and arrive from anywhere, so a stream that stops early must not look complete. zstd's own streaming
// decodes into a window buffer and copies all of it out again.
// Approach: its block by block functions decode into a ring of ours, which holds the window and some more, and the
// pieces that are handed out lie in that ring: nothing is copied. One context and one ring a worker, kept for the next
// stream.
// What must hold: in the ring a block is never decoded over what the window still reaches, nor over what was handed out
// and may still be read: the ring has room for window, piece and block, and begins again only where a piece begins; the
// end of the input is accepted only between frames and after at least one of them; a huge window that one package asked
// for is not kept for the rest of the run.

#include "extract/zstd_stream.hpp"

#include <algorithm>
#include <new>
#include <string>

#define ZSTD_STATIC_LINKING_ONLY // NOLINT: the block by block functions are declared then
#include <zstd.h>

namespace taipan {

namespace {

/// Pieces are about that large, so that most files are in one of them.
constexpr std::size_t piece_size = std::size_t{512} << 10;
constexpr std::size_t block_size = ZSTD_BLOCKSIZE_MAX; ///< no block is larger
constexpr std::uint64_t largest_window = std::uint64_t{1} << (sizeof(void*) == 8 ? 31 : 30);
/// A ring larger than this is given back after its stream.
constexpr std::size_t largest_kept_ring = std::size_t{32} << 20;

struct ContextDeleter {
    void operator()(ZSTD_DCtx* context) const { ZSTD_freeDCtx(context); }
};

Error corrupt(std::string what) {
    return make_error(ErrorCode::corrupt_package, "zstd data is damaged: " + std::move(what));
}

Error cut_off() { return corrupt("it ends inside a frame"); }

} // namespace

struct ZstdStream::Decoder {
    std::unique_ptr<ZSTD_DCtx, ContextDeleter> context;
    std::unique_ptr<char[]> ring;
    std::size_t ring_size = 0;
    std::size_t at = 0; ///< where the next block goes

    Result<void> grow(std::size_t size) {
        ring_size = 0;
        ring.reset();
        ring.reset(new (std::nothrow) char[size]);
        if (!ring) {
            return make_error(ErrorCode::io, "there is not enough memory to decode a package that was packed with a "
                                             "window of " +
                                                 std::to_string(size >> 20U) + " MB");
        }
        ring_size = size;
        return {};
    }
};

ZstdStream::ZstdStream() : decoder_(std::make_unique<Decoder>()) {}
ZstdStream::~ZstdStream() = default;

Result<void> ZstdStream::start(ByteSource& input) {
    input_ = &input;
    pending_ = {};
    carried_.clear();
    input_ended_ = inside_frame_ = any_frame_ = false;
    Decoder& decoder = *decoder_;
    decoder.at = 0;
    if (decoder.ring_size > largest_kept_ring) {
        decoder.ring.reset();
        decoder.ring_size = 0;
    }
    if (!decoder.context) decoder.context.reset(ZSTD_createDCtx());
    if (!decoder.context) return make_error(ErrorCode::internal, "cannot allocate a zstd decoder");
    return {};
}

/// The next `count` bytes of the input in one stretch, without taking them; fewer at its end.
Result<std::string_view> ZstdStream::peek(std::size_t count) {
    if (carried_.empty() && pending_.size() >= count) return pending_.substr(0, count);
    while (carried_.size() < count) {
        if (pending_.empty() && !input_ended_) {
            TAIPAN_TRY(pending_, input_->next());
            input_ended_ = pending_.empty();
        }
        if (pending_.empty()) break;
        const auto part = pending_.substr(0, count - carried_.size());
        carried_ += part;
        pending_.remove_prefix(part.size());
    }
    return std::string_view(carried_).substr(0, count);
}

/// Takes bytes that were peeked at.
void ZstdStream::take(std::size_t count) {
    const std::size_t carried = std::min(count, carried_.size());
    carried_.erase(0, carried);
    pending_.remove_prefix(count - carried);
}

/// Passes over bytes however many.
Result<void> ZstdStream::skip(std::uint64_t count) {
    while (count > 0) {
        TAIPAN_TRY(const auto bytes, peek(static_cast<std::size_t>(std::min<std::uint64_t>(count, piece_size))));
        if (bytes.empty()) return cut_off();
        count -= bytes.size();
        take(bytes.size());
    }
    return {};
}

/// Looks at the header of the next frame and prepares for it. False when there is no further frame; skippable ones are
/// passed over. `may_move` tells that nothing in the ring is needed any more.
Result<bool> ZstdStream::begin_frame(bool may_move) {
    Decoder& decoder = *decoder_;
    while (true) {
        TAIPAN_TRY(auto bytes, peek(ZSTD_FRAMEHEADERSIZE_MAX));
        if (bytes.empty()) return false;
        ZSTD_frameHeader header{};
        const auto wanted = ZSTD_getFrameHeader(&header, bytes.data(), bytes.size());
        if (ZSTD_isError(wanted)) return corrupt(ZSTD_getErrorName(wanted));
        if (wanted > 0) return cut_off(); // no header is longer than what was looked at
        if (header.frameType == ZSTD_skippableFrame) {
            any_frame_ = true;
            TAIPAN_CHECK(skip(ZSTD_SKIPPABLEHEADERSIZE + header.frameContentSize));
            continue;
        }
        if (header.windowSize > largest_window) return corrupt("its window is too large");
        const auto least = ZSTD_decodingBufferSize_min(header.windowSize, header.frameContentSize);
        if (ZSTD_isError(least)) return corrupt(ZSTD_getErrorName(least));
        const std::size_t size = least + piece_size + 2 * block_size;
        if (size > decoder.ring_size) {
            if (!may_move) return true; // once more, when it may
            TAIPAN_CHECK(decoder.grow(size));
        }
        const auto begun = ZSTD_decompressBegin(decoder.context.get());
        if (ZSTD_isError(begun)) return make_error(ErrorCode::internal, ZSTD_getErrorName(begun));
        inside_frame_ = true;
        return true;
    }
}

/// Decodes the next header or block of the present frame: the number of bytes that were added to the ring.
Result<std::size_t> ZstdStream::decode_step() {
    Decoder& decoder = *decoder_;
    const std::size_t count = ZSTD_nextSrcSizeToDecompress(decoder.context.get());
    TAIPAN_TRY(const auto bytes, peek(count));
    if (bytes.size() < count) return cut_off();
    const auto made = ZSTD_decompressContinue(decoder.context.get(), decoder.ring.get() + decoder.at,
                                              decoder.ring_size - decoder.at, bytes.data(), bytes.size());
    if (ZSTD_isError(made)) return corrupt(ZSTD_getErrorName(made));
    take(count);
    decoder.at += made;
    if (ZSTD_nextSrcSizeToDecompress(decoder.context.get()) == 0) {
        inside_frame_ = false;
        any_frame_ = true;
    }
    return made;
}

Result<std::string_view> ZstdStream::next() {
    Decoder& decoder = *decoder_;
    if (decoder.at + block_size + piece_size > decoder.ring_size) decoder.at = 0;
    const std::size_t begin = decoder.at;
    while (decoder.at - begin < piece_size) {
        if (!inside_frame_) {
            TAIPAN_TRY(const bool more, begin_frame(decoder.at == begin));
            if (!more || !inside_frame_) break;
        }
        TAIPAN_TRY([[maybe_unused]] const std::size_t made, decode_step());
    }
    if (decoder.at == begin && !any_frame_) return corrupt("there is no frame");
    return std::string_view(decoder.ring.get() + begin, decoder.at - begin);
}

} // namespace taipan
