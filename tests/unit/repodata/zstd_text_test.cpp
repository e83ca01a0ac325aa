#include <catch2/catch.hpp>

#include <zstd.h>

#include "repodata/zstd_text.hpp"

using namespace taipan;

namespace {

std::string compress(const std::string& text, bool with_size = true) {
    ZSTD_CCtx* const context = ZSTD_createCCtx();
    ZSTD_CCtx_setParameter(context, ZSTD_c_contentSizeFlag, with_size ? 1 : 0);
    std::string packed(ZSTD_compressBound(text.size()), '\0');
    const auto size = ZSTD_compress2(context, packed.data(), packed.size(), text.data(), text.size());
    ZSTD_freeCCtx(context);
    REQUIRE(ZSTD_isError(size) == 0);
    packed.resize(size);
    return packed;
}

std::string sample() {
    std::string text;
    for (int i = 0; i < 200'000; ++i) text += "\"package-" + std::to_string(i) + "\",";
    return text;
}

} // namespace

TEST_CASE("inflates with and without a declared size, and several frames", "[zstd]") {
    const std::string text = sample();
    for (const bool with_size : {true, false}) {
        const auto inflated = decompress_zst(compress(text, with_size));
        REQUIRE(inflated);
        CHECK(*inflated == text);
    }
    const auto two = decompress_zst(compress("first") + compress("second", false));
    REQUIRE(two);
    CHECK(*two == "firstsecond");
    const auto empty = decompress_zst(compress(""));
    REQUIRE(empty);
    CHECK(empty->empty());
}

TEST_CASE("inflates what is many windows long, and goes back as far as the window", "[zstd]") {
    constexpr int small_window = 20, large_window = 23;
    std::string text;
    for (int i = 0; i < 40; ++i) text += sample().substr(static_cast<std::size_t>(i) * 1000) + std::to_string(i);
    for (const int window : {small_window, large_window}) {
        ZSTD_CCtx* const context = ZSTD_createCCtx();
        ZSTD_CCtx_setParameter(context, ZSTD_c_windowLog, window);
        std::string packed(ZSTD_compressBound(text.size()), '\0');
        const auto size = ZSTD_compress2(context, packed.data(), packed.size(), text.data(), text.size());
        ZSTD_freeCCtx(context);
        REQUIRE(ZSTD_isError(size) == 0);
        packed.resize(size);
        const auto inflated = decompress_zst(packed + packed);
        REQUIRE(inflated);
        CHECK((*inflated == text + text));
    }
}

TEST_CASE("damaged data is an error", "[zstd]") {
    std::string packed = compress(sample());
    CHECK_FALSE(decompress_zst(""));
    CHECK_FALSE(decompress_zst("plain text, no zstd"));
    for (const std::size_t size : {packed.size() - 1, packed.size() / 2, std::size_t{10}}) {
        const auto cut = decompress_zst(std::string_view(packed).substr(0, size));
        REQUIRE_FALSE(cut);
        CHECK(cut.error().code == ErrorCode::parse);
    }
    CHECK_FALSE(decompress_zst(packed + "rubbish"));
    packed[packed.size() / 2] = static_cast<char>(packed[packed.size() / 2] ^ 0x55);
    packed[packed.size() / 3] = static_cast<char>(packed[packed.size() / 3] ^ 0x55);
    const auto flipped = decompress_zst(packed);
    CHECK((!flipped || *flipped != sample()));
}

TEST_CASE("a bomb ends at the limit", "[zstd]") {
    const std::string zeros(50'000'000, '0');
    for (const bool with_size : {true, false}) {
        const auto packed = compress(zeros, with_size);
        CHECK(packed.size() < 10'000);
        const auto stopped = decompress_zst(packed, 1'000'000);
        REQUIRE_FALSE(stopped);
        CHECK(stopped.error().code == ErrorCode::parse);
        CHECK(decompress_zst(packed, zeros.size()));
        CHECK_FALSE(decompress_zst(packed, zeros.size() - 1));
    }
}
