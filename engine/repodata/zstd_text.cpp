// Inflates repodata.json.zst and the parts of sharded repodata.
//
// zstd's own streaming decodes into a buffer that is hardly larger than the window, so that half of all matches lie
// before its last turn, where they are copied in a slow way. Its block by block functions decode into memory of ours
// that has no turns (rolling_memory.hpp).
// What must hold: a block is never decoded over what the window still reaches, and what the window reaches lies in one
// stretch, or in two.
//
// The size a frame declares is not believed: growth beyond the limit ends the work, whatever a header said, so that a
// bomb costs a bounded amount.
#include "repodata/zstd_text.hpp"

#include <algorithm>
#include <cstring>
#include <optional>

#include "repodata/rolling_memory.hpp"

#define ZSTD_STATIC_LINKING_ONLY // NOLINT: the block by block functions are declared then
#include <zstd.h>

namespace taipan {
namespace {

/// Windows up to 2 GiB are legal in a .zst file of a channel ("--ultra --long=31").
constexpr std::uint64_t largest_window = std::uint64_t{1} << (sizeof(void*) == 8 ? 31 : 30);
constexpr std::size_t block_size = ZSTD_BLOCKSIZE_MAX; ///< no block is larger

Error damaged(std::string_view why) {
    return make_error(ErrorCode::parse, "The zstd data is damaged or incomplete: " + std::string(why));
}

} // namespace

struct ZstdInflater::Stream {
    struct Free {
        void operator()(ZSTD_DCtx* context) const { ZSTD_freeDCtx(context); }
    };
    std::unique_ptr<ZSTD_DCtx, Free> context;
    repodata::RollingMemory memory;
    std::string_view made;     ///< what has not been handed out
    std::string carried;       ///< input that came in pieces and is wanted in one
    std::uint64_t to_skip = 0; ///< of a frame that means nothing
    bool inside_frame = false, any_frame = false;

    std::optional<std::string_view> peek(std::string_view& input, std::size_t count);
    void take(std::string_view& input, std::size_t count);
    Result<bool> begin_frame(std::string_view& input);
    Result<void> make_room(const ZSTD_frameHeader& header);
    Result<bool> decode(std::string_view& input);
};

/// The next `count` bytes in one stretch; nullopt when more input is needed, which then is all taken.
std::optional<std::string_view> ZstdInflater::Stream::peek(std::string_view& input, std::size_t count) {
    if (carried.empty() && input.size() >= count) return input.substr(0, count);
    const auto missing = input.substr(0, count - std::min(count, carried.size()));
    carried += missing;
    input.remove_prefix(missing.size());
    if (carried.size() < count) return std::nullopt;
    return std::string_view(carried).substr(0, count);
}

void ZstdInflater::Stream::take(std::string_view& input, std::size_t count) {
    const std::size_t from_carried = std::min(count, carried.size());
    carried.erase(0, from_carried);
    input.remove_prefix(count - from_carried);
}

Result<void> ZstdInflater::Stream::make_room(const ZSTD_frameHeader& header) {
    if (header.windowSize > largest_window) return damaged("its window is too large");
    // Between frames nothing is reached back for.
    if (memory.kept() < header.windowSize || memory.place() == nullptr)
        memory = repodata::RollingMemory(static_cast<std::size_t>(header.windowSize), header.frameContentSize);
    return {};
}

/// False: more input is needed.
Result<bool> ZstdInflater::Stream::begin_frame(std::string_view& input) {
    std::size_t wanted = ZSTD_FRAMEHEADERSIZE_MIN(ZSTD_f_zstd1);
    ZSTD_frameHeader header{};
    while (true) {
        const auto bytes = peek(input, wanted);
        if (!bytes) return false;
        const auto more = ZSTD_getFrameHeader(&header, bytes->data(), bytes->size());
        if (ZSTD_isError(more) != 0) return damaged(ZSTD_getErrorName(more));
        if (more == 0) break;
        wanted = more;
    }
    if (header.frameType == ZSTD_skippableFrame) {
        to_skip = ZSTD_SKIPPABLEHEADERSIZE + header.frameContentSize;
        any_frame = true;
        return true;
    }
    TAIPAN_CHECK(make_room(header));
    const auto begun = ZSTD_decompressBegin(context.get());
    if (ZSTD_isError(begun) != 0) return make_error(ErrorCode::internal, ZSTD_getErrorName(begun));
    inside_frame = true;
    return true;
}

/// Goes on by a header, a block or a part of what is skipped. False: more input is needed.
Result<bool> ZstdInflater::Stream::decode(std::string_view& input) {
    if (to_skip > 0) {
        const auto available =
            static_cast<std::size_t>(std::min<std::uint64_t>(to_skip, carried.size() + input.size()));
        take(input, available);
        to_skip -= available;
        return available > 0;
    }
    if (!inside_frame) return begin_frame(input);
    const std::size_t count = ZSTD_nextSrcSizeToDecompress(context.get());
    const auto bytes = peek(input, count);
    if (!bytes) return false;
    TAIPAN_CHECK(memory.make_room(block_size));
    const auto size =
        ZSTD_decompressContinue(context.get(), memory.place(), memory.room(), bytes->data(), bytes->size());
    if (ZSTD_isError(size) != 0) return damaged(ZSTD_getErrorName(size));
    take(input, count);
    made = {memory.place(), size};
    memory.advance(size);
    if (ZSTD_nextSrcSizeToDecompress(context.get()) == 0) {
        inside_frame = false;
        any_frame = true;
    }
    return true;
}

ZstdInflater::ZstdInflater(std::unique_ptr<Stream> stream) : stream_(std::move(stream)) {}
ZstdInflater::ZstdInflater(ZstdInflater&&) noexcept = default;
ZstdInflater& ZstdInflater::operator=(ZstdInflater&&) noexcept = default;
ZstdInflater::~ZstdInflater() = default;

Result<ZstdInflater> ZstdInflater::create() {
    auto stream = std::make_unique<Stream>();
    stream->context.reset(ZSTD_createDCtx());
    if (!stream->context) return make_error(ErrorCode::internal, "Not enough memory for a zstd decoder");
    return ZstdInflater(std::move(stream));
}

Result<std::size_t> ZstdInflater::inflate(std::string_view& input, std::span<char> output) {
    std::size_t done = 0;
    while (done < output.size()) {
        if (stream_->made.empty()) {
            // The end of a frame is the end of everything unless there are more bytes.
            if (input.empty() && stream_->carried.empty() && !stream_->inside_frame && stream_->to_skip == 0) break;
            TAIPAN_TRY(const bool went_on, stream_->decode(input));
            if (!went_on) break;
            continue;
        }
        const std::size_t count = std::min(output.size() - done, stream_->made.size());
        std::memcpy(output.data() + done, stream_->made.data(), count);
        stream_->made.remove_prefix(count);
        done += count;
    }
    return done;
}

Result<void> ZstdInflater::finish() const {
    const Stream& stream = *stream_;
    const bool between = !stream.inside_frame && stream.to_skip == 0 && stream.carried.empty();
    return stream.any_frame && between ? Result<void>() : damaged("it ends too early");
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
