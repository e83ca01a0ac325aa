#include "repodata/hex_digits.hpp"

#include <array>
#include <string>

#include <catch2/catch.hpp>

using taipan::repodata::from_hex;

TEST_CASE("hexadecimal digits of any length", "[repodata]") {
    for (const std::size_t size : {0U, 1U, 7U, 8U, 9U, 16U, 32U}) {
        std::string text;
        std::string expected;
        for (std::size_t i = 0; i < size; ++i) {
            const auto value = static_cast<unsigned char>(i * 37 + 11);
            expected += static_cast<char>(value);
            text += "0123456789abcdef"[value >> 4U];
            text += "0123456789abcdef"[value & 15U];
        }
        std::array<unsigned char, 32> bytes{};
        REQUIRE(from_hex(text, std::span(bytes).first(size)));
        CHECK(std::string(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(size)) == expected);
        CHECK_FALSE(from_hex(text + "0", std::span(bytes).first(size)));
    }
}

TEST_CASE("every byte that is no digit is found, wherever it is", "[repodata]") {
    std::array<unsigned char, 20> bytes{};
    for (int letter = 0; letter < 256; ++letter) {
        const bool is_digit = (letter >= '0' && letter <= '9') || (letter >= 'a' && letter <= 'f');
        for (std::size_t at = 0; at < bytes.size() * 2; ++at) {
            std::string text(bytes.size() * 2, '0');
            text[at] = static_cast<char>(letter);
            CHECK(from_hex(text, bytes) == is_digit);
        }
    }
}
