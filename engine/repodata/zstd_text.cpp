// Inflates repodata.json.zst and the parts of sharded repodata.
//
// The size a frame declares is not looked at: growth beyond the limit ends the work, whatever a header said, so that a
// bomb costs a bounded amount.
#include "repodata/zstd_text.hpp"

#include <algorithm>

#include <zstd.h>

namespace taipan {
namespace {

/// Windows up to 2 GiB are legal in a .zst file of a channel ("--ultra --long=31").
constexpr int largest_window_log = 31;

Error damaged(std::string_view why) {
    return make_error(ErrorCode::parse, "The zstd data is damaged or incomplete: " + std::string(why));
}

} // namespace

struct ZstdInflater::Stream {
    struct Free {
        void operator()(ZSTD_DStream* stream) const { ZSTD_freeDStream(stream); }
    };
    std::unique_ptr<ZSTD_DStream, Free> handle;
    bool frame_ended = false;
};

ZstdInflater::ZstdInflater(std::unique_ptr<Stream> stream) : stream_(std::move(stream)) {}
ZstdInflater::ZstdInflater(ZstdInflater&&) noexcept = default;
ZstdInflater& ZstdInflater::operator=(ZstdInflater&&) noexcept = default;
ZstdInflater::~ZstdInflater() = default;

Result<ZstdInflater> ZstdInflater::create() {
    auto stream = std::make_unique<Stream>();
    stream->handle.reset(ZSTD_createDStream());
    if (!stream->handle) return make_error(ErrorCode::internal, "Not enough memory for a zstd decoder");
    if (const auto code = ZSTD_DCtx_setParameter(stream->handle.get(), ZSTD_d_windowLogMax, largest_window_log);
        ZSTD_isError(code) != 0)
        return make_error(ErrorCode::internal, std::string("zstd: ") + ZSTD_getErrorName(code));
    return ZstdInflater(std::move(stream));
}

Result<std::size_t> ZstdInflater::inflate(std::string_view& input, std::span<char> output) {
    ZSTD_inBuffer in{input.data(), input.size(), 0};
    ZSTD_outBuffer out{output.data(), output.size(), 0};
    // A frame that has ended is not followed by another one unless there are more bytes.
    while (out.pos < out.size && !(stream_->frame_ended && in.pos == in.size)) {
        const std::size_t before_in = in.pos, before_out = out.pos;
        const auto code = ZSTD_decompressStream(stream_->handle.get(), &out, &in);
        if (ZSTD_isError(code) != 0) return damaged(ZSTD_getErrorName(code));
        stream_->frame_ended = code == 0;
        if (in.pos == before_in && out.pos == before_out) break;
    }
    input.remove_prefix(in.pos);
    return out.pos;
}

Result<void> ZstdInflater::finish() const {
    return stream_->frame_ended ? Result<void>() : damaged("it ends too early");
}

Result<std::string> decompress_zst(std::string_view bytes, std::uint64_t limit) {
    constexpr std::size_t step = std::size_t{256} << 10;
    TAIPAN_TRY(ZstdInflater inflater, ZstdInflater::create());
    std::string text;
    while (true) {
        const std::size_t before = text.size();
        text.resize(std::max(before + step, before + before / 2));
        TAIPAN_TRY(const std::size_t count, inflater.inflate(bytes, std::span(text).subspan(before)));
        text.resize(before + count);
        if (text.size() > limit)
            return make_error(ErrorCode::parse,
                              "The zstd data grows beyond " + std::to_string(limit) + " bytes when inflated");
        if (count == 0) break;
    }
    TAIPAN_CHECK(inflater.finish());
    return text;
}

} // namespace taipan
