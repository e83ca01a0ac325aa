#include "image/layer_compression.hpp"

#include <catch2/catch.hpp>

#include <vector>
#include <zlib.h>
#include <zstd.h>

using namespace taipan;

namespace {

std::string text_of(std::size_t size) {
    std::string text;
    unsigned state = 1;
    while (text.size() < size) {
        state = state * 1103515245U + 12345U;
        text += "line " + std::to_string(state >> 16U) + "\n";
    }
    text.resize(size);
    return text;
}

/// The layer, from chunks of that size.
std::string packed(LayerCompression compression, const std::string& text, std::size_t chunk_size) {
    LayerFrame frame(compression);
    std::string out = frame.head();
    std::size_t at = 0;
    do {
        LayerChunk chunk;
        chunk.bytes = text.substr(at, chunk_size);
        chunk.before = text.substr(at > 32768 ? at - 32768 : 0, at > 32768 ? 32768 : at);
        at += chunk.bytes.size();
        chunk.last = at == text.size();
        REQUIRE(compress_chunk(compression, chunk));
        frame.add(chunk);
        out += chunk.packed;
    } while (at < text.size());
    return out + frame.tail();
}

std::string gunzipped(const std::string& bytes, std::size_t size) {
    std::string text(size + 1, '\0');
    z_stream stream{};
    REQUIRE(::inflateInit2(&stream, 15 + 16) == Z_OK); // gzip only: checks CRC and size at the end
    stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
    stream.avail_in = static_cast<uInt>(bytes.size());
    stream.next_out = reinterpret_cast<Bytef*>(text.data());
    stream.avail_out = static_cast<uInt>(text.size());
    CHECK(::inflate(&stream, Z_FINISH) == Z_STREAM_END);
    CHECK(stream.avail_in == 0);
    text.resize(stream.total_out);
    ::inflateEnd(&stream);
    return text;
}

} // namespace

TEST_CASE("chunks of gzip are one member") {
    for (const std::size_t size : std::vector<std::size_t>{0, 1, 1000, 100000, 300000}) {
        const std::string text = text_of(size);
        for (const std::size_t chunk : std::vector<std::size_t>{1000, 65536, 1 << 20}) {
            CHECK(gunzipped(packed(LayerCompression::gzip, text, chunk), size) == text);
        }
    }
}

TEST_CASE("chunks of zstd are frames that follow each other") {
    const std::string text = text_of(300000);
    const std::string bytes = packed(LayerCompression::zstd, text, 65536);
    std::string back(text.size(), '\0');
    CHECK(ZSTD_decompress(back.data(), back.size(), bytes.data(), bytes.size()) == text.size());
    CHECK(back == text);
}

TEST_CASE("without compression nothing is changed") {
    const std::string text = text_of(10000);
    CHECK(packed(LayerCompression::none, text, 1000) == text);
}

TEST_CASE("words for compressions") {
    for (const char* const word : {"none", "gzip", "zstd"}) CHECK(to_string(*layer_compression_of(word)) == word);
    CHECK_FALSE(layer_compression_of("xz"));
}
