#include "repodata/hex_digits.hpp"

#include <array>
#include <cstddef>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

namespace taipan::repodata {
namespace {

/// The value of a lower-case hexadecimal digit; 255 of anything else.
constexpr std::array<unsigned char, 256> hex_values = [] {
    std::array<unsigned char, 256> values{};
    values.fill(255);
    for (unsigned char i = 0; i < 10; ++i) values['0' + i] = i;
    for (unsigned char i = 0; i < 6; ++i) values['a' + i] = static_cast<unsigned char>(10 + i);
    return values;
}();

#ifdef __SSE2__
constexpr std::size_t step = 8; ///< bytes made at once

/// Makes 8 bytes of 16 digits.
bool read_step(const char* digits, unsigned char* out) {
    const __m128i text = _mm_loadu_si128(reinterpret_cast<const __m128i*>(digits));
    const __m128i number = _mm_sub_epi8(text, _mm_set1_epi8('0'));
    const __m128i letter = _mm_sub_epi8(text, _mm_set1_epi8('a'));
    const __m128i is_number = _mm_cmpeq_epi8(_mm_min_epu8(number, _mm_set1_epi8(9)), number);
    const __m128i is_letter = _mm_cmpeq_epi8(_mm_min_epu8(letter, _mm_set1_epi8(5)), letter);
    constexpr int all = 0xffff;
    if (_mm_movemask_epi8(_mm_or_si128(is_number, is_letter)) != all) return false;
    const __m128i values = _mm_or_si128(_mm_and_si128(is_number, number),
                                        _mm_and_si128(is_letter, _mm_add_epi8(letter, _mm_set1_epi8(10))));
    // Two digits are one 16-bit number, the first one being its low byte.
    const __m128i high = _mm_slli_epi16(_mm_and_si128(values, _mm_set1_epi16(0xff)), 4);
    const __m128i bytes = _mm_or_si128(high, _mm_srli_epi16(values, 8));
    _mm_storel_epi64(reinterpret_cast<__m128i*>(out), _mm_packus_epi16(bytes, bytes));
    return true;
}
#else
constexpr std::size_t step = 1;

bool read_step(const char* digits, unsigned char* out) {
    const unsigned high = hex_values[static_cast<unsigned char>(digits[0])];
    const unsigned low = hex_values[static_cast<unsigned char>(digits[1])];
    *out = static_cast<unsigned char>(high << 4U | (low & 15U));
    return (high | low) < 16;
}
#endif

} // namespace

bool from_hex(std::string_view text, std::span<unsigned char> out) {
    if (text.size() != out.size() * 2) return false;
    std::size_t done = 0;
    for (; done + step <= out.size(); done += step)
        if (!read_step(text.data() + done * 2, out.data() + done)) return false;
    for (; done < out.size(); ++done) {
        const unsigned high = hex_values[static_cast<unsigned char>(text[done * 2])];
        const unsigned low = hex_values[static_cast<unsigned char>(text[done * 2 + 1])];
        if ((high | low) >= 16) return false;
        out[done] = static_cast<unsigned char>(high << 4U | low);
    }
    return true;
}

} // namespace taipan::repodata
