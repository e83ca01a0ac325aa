// Inflates repodata.json.zst.
//
// The size a frame declares is only a hint from outside: it is used to reserve memory when it is plausible, never
// trusted. Growth beyond the limit ends the work, whatever the header said, so that a bomb costs a bounded amount.
#include "repodata/zstd_text.hpp"

#include <algorithm>
#include <memory>

#include <zstd.h>

namespace taipan {
namespace {

struct FreeStream {
    void operator()(ZSTD_DStream* stream) const { ZSTD_freeDStream(stream); }
};

/// Room behind the text, so that the JSON parser's padding does not copy everything once more.
constexpr std::size_t spare = 128;
/// Windows up to 2 GiB are legal in a .zst file of a channel ("--ultra --long=31").
constexpr int largest_window_log = 31;
constexpr std::uint64_t first_guess = std::uint64_t{1} << 20;
/// Text compresses 10 to 30 times; a header that claims more than this is believed only as it comes true.
constexpr std::uint64_t plausible_ratio = 64;

Error damaged(std::string_view why) {
    return make_error(ErrorCode::parse, "The zstd data is damaged or incomplete: " + std::string(why));
}

} // namespace

Result<std::string> decompress_zst(std::string_view bytes, std::uint64_t limit) {
    const std::unique_ptr<ZSTD_DStream, FreeStream> stream(ZSTD_createDStream());
    if (!stream) return make_error(ErrorCode::internal, "Not enough memory for a zstd decoder");
    if (const auto code = ZSTD_DCtx_setParameter(stream.get(), ZSTD_d_windowLogMax, largest_window_log);
        ZSTD_isError(code) != 0)
        return make_error(ErrorCode::internal, std::string("zstd: ") + ZSTD_getErrorName(code));
    if (bytes.empty()) return damaged("no data");

    std::uint64_t expected = ZSTD_getFrameContentSize(bytes.data(), bytes.size());
    if (expected == ZSTD_CONTENTSIZE_ERROR) return damaged("it does not start with a zstd frame");
    if (expected == ZSTD_CONTENTSIZE_UNKNOWN) expected = std::max<std::uint64_t>(bytes.size() * 16, first_guess);
    expected = std::min({expected, limit, std::max<std::uint64_t>(bytes.size() * plausible_ratio, first_guess)});

    std::string text;
    text.reserve(static_cast<std::size_t>(expected) + spare);
    text.resize(static_cast<std::size_t>(expected));
    ZSTD_inBuffer in{bytes.data(), bytes.size(), 0};
    std::size_t done = 0;
    for (bool frame_ended = false;;) {
        if (done == text.size()) {
            if (frame_ended && in.pos == in.size) break;
            const std::uint64_t wanted = std::max<std::uint64_t>(std::uint64_t{text.size()} * 2, first_guess);
            // One byte beyond the limit tells "exactly the limit" from "more".
            const std::uint64_t size = std::min(wanted, limit + 1);
            if (size <= text.size())
                return make_error(ErrorCode::parse,
                                  "The zstd data grows beyond " + std::to_string(limit) + " bytes when inflated");
            text.reserve(static_cast<std::size_t>(size) + spare);
            text.resize(static_cast<std::size_t>(size));
        }
        ZSTD_outBuffer out{text.data() + done, text.size() - done, 0};
        const std::size_t before = in.pos;
        const auto code = ZSTD_decompressStream(stream.get(), &out, &in);
        if (ZSTD_isError(code) != 0) return damaged(ZSTD_getErrorName(code));
        done += out.pos;
        frame_ended = code == 0;
        if (frame_ended && in.pos == in.size) break;
        if (in.pos == in.size && in.pos == before && out.pos == 0) return damaged("it ends too early");
    }
    if (done > limit)
        return make_error(ErrorCode::parse,
                          "The zstd data grows beyond " + std::to_string(limit) + " bytes when inflated");
    text.resize(done);
    return text;
}

} // namespace taipan
