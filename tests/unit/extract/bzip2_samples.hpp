#pragma once

#include <bit>
#include <cstdint>
#include <optional>
#include <random>
#include <stdexcept>
#include <string>
#include <string_view>

#include <bzlib.h>

#include "extract/bzip2_marks.hpp"

namespace taipan::test {

/// One bzip2 stream with blocks of `level` * 100,000 bytes.
inline std::string bzip2_stream_of(std::string_view plain, int level = 1) {
    std::string out(plain.size() + plain.size() / 50 + 1024, '\0');
    auto size = static_cast<unsigned>(out.size());
    if (BZ2_bzBuffToBuffCompress(out.data(), &size, const_cast<char*>(plain.data()),
                                 static_cast<unsigned>(plain.size()), level, 0, 0) != BZ_OK)
        throw std::runtime_error("BZ2_bzBuffToBuffCompress");
    out.resize(size);
    return out;
}

/// What libbz2 makes of streams in a row, with zeros behind them; nullopt for damaged data.
inline std::optional<std::string> plain_by_libbz2(std::string_view streams) {
    std::string plain;
    for (bool any = false;; any = true) {
        if (any) streams.remove_prefix(std::min(streams.find_first_not_of('\0'), streams.size()));
        if (streams.empty()) return any ? std::optional(plain) : std::nullopt;
        bz_stream stream{};
        if (BZ2_bzDecompressInit(&stream, 0, 0) != BZ_OK) throw std::runtime_error("BZ2_bzDecompressInit");
        stream.next_in = const_cast<char*>(streams.data());
        stream.avail_in = static_cast<unsigned>(streams.size());
        int code = BZ_OK;
        while (code == BZ_OK) {
            const auto before = plain.size();
            plain.resize(before + 65536);
            stream.next_out = plain.data() + before;
            stream.avail_out = 65536;
            code = BZ2_bzDecompress(&stream);
            plain.resize(plain.size() - stream.avail_out);
            if (code == BZ_OK && stream.avail_out > 0 && stream.avail_in == 0) code = BZ_UNEXPECTED_EOF;
        }
        streams.remove_prefix(streams.size() - stream.avail_in);
        BZ2_bzDecompressEnd(&stream);
        if (code != BZ_STREAM_END) return std::nullopt;
    }
}

/// Text of nearly no repetition.
inline std::string noise_of(std::size_t size, unsigned seed = 1) {
    std::minstd_rand random(seed);
    std::string text(size, '\0');
    for (auto& c : text) c = static_cast<char>(random() >> 8U);
    return text;
}

/// Text whose compressed blocks contain false marks: a block begins with a bitmap of the byte values in it, and these
/// values spell a block's magic number and, `with_end`, an end record's.
inline std::string text_with_false_marks(std::size_t size, bool with_end, unsigned seed = 1) {
    std::string values;
    const auto spell = [&values](std::uint64_t magic, unsigned first) {
        for (unsigned i = 0; i < bzip2_magic_bits; ++i) {
            if ((magic >> (bzip2_magic_bits - 1 - i) & 1U) != 0) values += static_cast<char>(first + i);
        }
    };
    spell(bzip2_block_magic, 16);
    if (with_end) spell(bzip2_end_magic, 64);
    std::minstd_rand random(seed);
    std::string text = values;
    while (text.size() < size) text += values[(random() >> 8U) % values.size()];
    return text;
}

} // namespace taipan::test
