#include <catch2/catch.hpp>

#include <algorithm>
#include <random>
#include <string>
#include <string_view>

#include <zstd.h>

#include "extract/zstd_stream.hpp"

using namespace taipan;

namespace {

/// Hands its bytes out in pieces of random sizes, none larger than `largest`.
class Pieces final : public ByteSource {
public:
    Pieces(std::string_view bytes, std::size_t largest) : rest_(bytes), largest_(largest) {}
    Result<std::string_view> next() override {
        const auto piece = rest_.substr(0, 1 + random_() % largest_);
        rest_.remove_prefix(piece.size());
        return piece;
    }

private:
    std::string_view rest_;
    std::size_t largest_;
    std::minstd_rand random_{1};
};

struct Packing {
    int level = 3;
    int window_log = 0; ///< 0: as the level has it
    bool size_known = true;
};

std::string packed(std::string_view bytes, Packing packing) {
    ZSTD_CCtx* const context = ZSTD_createCCtx();
    ZSTD_CCtx_setParameter(context, ZSTD_c_compressionLevel, packing.level);
    ZSTD_CCtx_setParameter(context, ZSTD_c_windowLog, packing.window_log);
    ZSTD_CCtx_setParameter(context, ZSTD_c_checksumFlag, 1);
    if (packing.size_known) ZSTD_CCtx_setPledgedSrcSize(context, bytes.size());
    std::string result(ZSTD_compressBound(bytes.size()), '\0');
    ZSTD_outBuffer out{result.data(), result.size(), 0};
    ZSTD_inBuffer in{bytes.data(), bytes.size(), 0};
    while (ZSTD_compressStream2(context, &out, &in, ZSTD_e_end) != 0) {
    }
    ZSTD_freeCCtx(context);
    result.resize(out.pos);
    return result;
}

/// Bytes that repeat what came up to `reach` bytes before, so that the window is really looked into.
std::string repeating(std::size_t size, std::size_t reach, unsigned seed) {
    std::minstd_rand random(seed);
    std::string text;
    while (text.size() < size) {
        const std::size_t length = 8 + random() % 3000;
        if (text.size() < 4000 || random() % 4 == 0) {
            for (std::size_t i = 0; i < length; ++i) text.push_back(static_cast<char>(random() >> 8U));
        } else {
            const std::size_t back = length + random() % std::min(reach, text.size() - length);
            text += text.substr(text.size() - std::min(back, text.size()), length);
        }
    }
    text.resize(size);
    return text;
}

Result<std::string> unpacked(ZstdStream& stream, std::string_view bytes, std::size_t largest_piece) {
    Pieces input(bytes, largest_piece);
    TAIPAN_CHECK(stream.start(input));
    std::string all;
    while (true) {
        TAIPAN_TRY(const auto piece, stream.next());
        if (piece.empty()) return all;
        all += piece;
    }
}

std::string skippable(std::size_t size) {
    std::string frame = "\x53\x2a\x4d\x18";
    for (unsigned shift = 0; shift < 32; shift += 8) frame.push_back(static_cast<char>(size >> shift));
    return frame + std::string(size, 's');
}

} // namespace

TEST_CASE("zstd streams of all windows come out as they went in") {
    ZstdStream stream; // the same one, so that its ring is of other sizes' making
    unsigned seed = 1;
    for (const int window_log : {10, 14, 17, 20, 22}) {
        for (const std::size_t size : {std::size_t{0}, std::size_t{1}, std::size_t{130'000}, std::size_t{6'000'000}}) {
            const auto text = repeating(size, std::size_t{1} << static_cast<unsigned>(window_log), ++seed);
            for (const bool size_known : {true, false}) {
                const auto archive = packed(text, {3, window_log, size_known});
                const auto result = unpacked(stream, archive, size_known ? 300'000 : 5'000);
                REQUIRE(result);
                REQUIRE(*result == text);
            }
        }
    }
}

TEST_CASE("zstd frames in a row, and what is to be passed over, make one stream") {
    ZstdStream stream;
    std::string archive, text;
    unsigned seed = 100;
    for (const int window_log : {10, 22, 12, 20, 17, 21, 10}) {
        for (const std::size_t size : {std::size_t{700'000}, std::size_t{3}, std::size_t{0}, std::size_t{400'001}}) {
            const auto part = repeating(size, std::size_t{1} << static_cast<unsigned>(window_log), ++seed);
            text += part;
            archive += packed(part, {1, window_log, seed % 2 == 0}) + skippable(size / 3);
        }
    }
    for (const std::size_t largest : {std::size_t{40}, std::size_t{1'000'000}}) {
        const auto result = unpacked(stream, archive, largest);
        REQUIRE(result);
        REQUIRE(*result == text);
    }
}

TEST_CASE("a zstd stream that ends early or was changed is refused") {
    ZstdStream stream;
    const auto text = repeating(300'000, 1 << 16, 7);
    const auto archive = packed(text, {3, 17, false});
    for (std::size_t size = 1; size < archive.size(); size += archive.size() / 97) {
        const auto result = unpacked(stream, std::string_view(archive).substr(0, size), 70'000);
        REQUIRE_FALSE(result);
        CHECK(result.error().code == ErrorCode::corrupt_package);
    }
    auto changed = archive;
    changed[archive.size() / 2] ^= 0x20;
    const auto result = unpacked(stream, changed, 70'000);
    REQUIRE_FALSE(result);
    CHECK(result.error().code == ErrorCode::corrupt_package);
    CHECK_FALSE(unpacked(stream, archive + "x", 70'000));
    CHECK_FALSE(unpacked(stream, skippable(1000).substr(0, 500), 70'000));
    CHECK_FALSE(unpacked(stream, "", 70'000));
    const auto again = unpacked(stream, archive, 70'000);
    REQUIRE(again);
    CHECK(*again == text);
}
