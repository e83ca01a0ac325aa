// The zstd half of a .conda archive.
//
// Problem: packages are compressed at level 19 and above with windows far beyond zstd's default limit, may
// consist of several frames, and arrive from anywhere, so a stream that stops early must not look complete.
// Approach: one decompression context a worker, reset between streams; an output buffer large enough that a
// small package decodes in one call straight into it (zstd then skips its own window buffer and one copy).
// What must hold: the end of the input is accepted only between frames and after at least one of them; a huge
// window that one package asked for is not kept for the rest of the run.

#include "extract/zstd_stream.hpp"

#include <string>

#include <zstd.h>

namespace taipan {

namespace {

constexpr std::size_t output_size = std::size_t{1} << 20;
constexpr int largest_window_log = sizeof(void*) == 8 ? 31 : 30;
/// A context that grew beyond this is given back after its stream.
constexpr std::size_t largest_kept_context = std::size_t{32} << 20;

struct ContextDeleter {
    void operator()(ZSTD_DCtx* context) const { ZSTD_freeDCtx(context); }
};

Error corrupt(std::string what) {
    return make_error(ErrorCode::corrupt_package, "zstd data is damaged: " + std::move(what));
}

} // namespace

struct ZstdStream::Decoder {
    std::unique_ptr<ZSTD_DCtx, ContextDeleter> context;
    std::unique_ptr<char[]> output;
};

ZstdStream::ZstdStream() : decoder_(std::make_unique<Decoder>()) {}
ZstdStream::~ZstdStream() = default;

Result<void> ZstdStream::start(ByteSource& input) {
    input_ = &input;
    pending_ = {};
    input_ended_ = inside_frame_ = any_frame_ = false;
    if (decoder_->context && ZSTD_sizeof_DCtx(decoder_->context.get()) > largest_kept_context) {
        decoder_->context.reset();
    }
    if (!decoder_->output) decoder_->output = std::make_unique_for_overwrite<char[]>(output_size);
    if (!decoder_->context) {
        decoder_->context.reset(ZSTD_createDCtx());
        if (!decoder_->context) return make_error(ErrorCode::internal, "cannot allocate a zstd decoder");
        const auto set = ZSTD_DCtx_setParameter(decoder_->context.get(), ZSTD_d_windowLogMax, largest_window_log);
        if (ZSTD_isError(set)) return make_error(ErrorCode::internal, ZSTD_getErrorName(set));
        return {};
    }
    const auto reset = ZSTD_DCtx_reset(decoder_->context.get(), ZSTD_reset_session_only);
    if (ZSTD_isError(reset)) return make_error(ErrorCode::internal, ZSTD_getErrorName(reset));
    return {};
}

Result<void> ZstdStream::refill() {
    TAIPAN_TRY(pending_, input_->next());
    input_ended_ = pending_.empty();
    return {};
}

Result<std::string_view> ZstdStream::next() {
    ZSTD_outBuffer out{decoder_->output.get(), output_size, 0};
    while (out.pos < out.size) {
        if (pending_.empty() && !input_ended_) TAIPAN_CHECK(refill());
        if (input_ended_ && !inside_frame_) break;
        ZSTD_inBuffer in{pending_.data(), pending_.size(), 0};
        const auto produced_before = out.pos;
        const auto hint = ZSTD_decompressStream(decoder_->context.get(), &out, &in);
        if (ZSTD_isError(hint)) return corrupt(ZSTD_getErrorName(hint));
        pending_.remove_prefix(in.pos);
        inside_frame_ = hint != 0;
        any_frame_ = any_frame_ || hint == 0;
        if (input_ended_ && inside_frame_ && out.pos == produced_before) return corrupt("it ends inside a frame");
    }
    if (out.pos == 0 && !any_frame_) return corrupt("there is no frame");
    return std::string_view(decoder_->output.get(), out.pos);
}

} // namespace taipan
