#include "extract/bzip2_stream.hpp"

#include <algorithm>
#include <functional>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "bzip2_samples.hpp"
#include "extract/bzip2_block.hpp"
#include "extract/bzip2_marks.hpp"
#include "helper_threads.hpp"

using namespace taipan;
using namespace taipan::test;

namespace {

/// Gives out a text in pieces of one size.
class Pieces final : public ByteSource {
public:
    Pieces(std::string_view bytes, std::size_t size) : rest_(bytes), size_(size) {}
    Result<std::string_view> next() override {
        const auto piece = rest_.substr(0, size_);
        rest_.remove_prefix(piece.size());
        return piece;
    }

private:
    std::string_view rest_;
    std::size_t size_;
};

Result<std::string> read_all(Bzip2Stream& stream) {
    std::string plain;
    while (true) {
        TAIPAN_TRY(const auto piece, stream.next());
        if (piece.empty()) return plain;
        plain += piece;
    }
}

Result<std::string> decode(std::string_view bytes, TaskRunner* helpers = nullptr, std::size_t piece = 1 << 16) {
    Bzip2Stream stream;
    Pieces source(bytes, piece);
    TAIPAN_CHECK(stream.start(source, helpers));
    return read_all(stream);
}

/// Without helpers and in small pieces, and with some.
void check_decodes(const std::string& bytes, const std::string& plain) {
    HelperThreads helpers(3);
    const auto alone = decode(bytes, nullptr, 1021);
    const auto helped = decode(bytes, &helpers);
    REQUIRE(plain_by_libbz2(bytes) == plain);
    if (!alone) FAIL(alone.error().describe());
    REQUIRE((*alone == plain)); // not shown: it is long
    if (!helped) FAIL(helped.error().describe());
    REQUIRE((*helped == plain));
}

void check_refused(const std::string& bytes, const std::string& reason = "bzip2 data is damaged") {
    HelperThreads helpers(3);
    for (TaskRunner* runner : {static_cast<TaskRunner*>(nullptr), static_cast<TaskRunner*>(&helpers)}) {
        const auto decoded = decode(bytes, runner);
        REQUIRE_FALSE(decoded);
        CHECK(decoded.error().code == ErrorCode::corrupt_package);
        CHECK_THAT(decoded.error().message, Catch::Contains(reason));
    }
}

std::vector<Bzip2Mark> marks_of(std::string_view bytes) {
    std::vector<Bzip2Mark> marks;
    Bzip2MarkFinder().scan(bytes, marks);
    return marks;
}

void flip(std::string& bytes, std::uint64_t bit) {
    auto& byte = bytes[static_cast<std::size_t>(bit / 8)];
    byte = static_cast<char>(static_cast<unsigned char>(byte) ^ (0x80U >> (bit % 8)));
}

} // namespace

TEST_CASE("Marks of bzip2 are found at every bit offset and across pieces", "[extract][bzip2]") {
    for (const bool end : {false, true}) {
        for (unsigned offset = 0; offset < 32; ++offset) {
            std::string bytes(16, '\x55');
            const auto magic = end ? bzip2_end_magic : bzip2_block_magic;
            for (unsigned i = 0; i < bzip2_magic_bits; ++i) {
                const bool set = (magic >> (bzip2_magic_bits - 1 - i) & 1U) != 0;
                if (set != (bits_at(bytes, offset + i, 1) != 0)) flip(bytes, offset + i);
            }
            const std::vector<Bzip2Mark> expected{{offset, end}};
            CHECK(marks_of(bytes) == expected);
            Bzip2MarkFinder finder;
            std::vector<Bzip2Mark> found;
            for (const char& c : bytes) finder.scan({&c, 1}, found);
            CHECK(found == expected);
        }
    }
    CHECK(marks_of(std::string(100, '\0')).empty());
}

TEST_CASE("A block is decoded from any bit offset, and only with its right end", "[extract][bzip2]") {
    const auto plain = noise_of(250'000);
    const auto bytes = bzip2_stream_of(plain);
    const auto marks = marks_of(bytes);
    REQUIRE(marks.size() == 4);
    REQUIRE(std::any_of(marks.begin(), marks.end(), [](const Bzip2Mark& mark) { return mark.bit % 8 != 0; }));
    Bzip2BlockDecoder decoder;
    std::string packed, decoded, buffer(200'000, '\0');
    using Outcome = Bzip2BlockDecoder::Outcome;
    for (std::size_t i = 0; i + 1 < marks.size(); ++i) {
        for (unsigned shift = 0; shift < 8; ++shift) { // the same bits at another offset
            std::string shifted;
            const std::string moved = std::string(2, '\0') + bytes;
            for (std::size_t at = 0; at + 2 < moved.size(); ++at)
                shifted += static_cast<char>(bits_at(moved, at * 8 + 16 - shift, 8));
            pack_block(shifted, marks[i].bit + shift, marks[i + 1].bit + shift, '1', packed);
            REQUIRE(decoder.start(packed));
            const auto piece = decoder.next(buffer.data(), buffer.size());
            REQUIRE(piece);
            CHECK(piece->outcome == Outcome::finished);
            if (shift == 0) decoded.append(buffer, 0, piece->size);
        }
        for (const int off : {-9, -1, 1, 9}) {
            const auto end = marks[i + 1].bit + static_cast<std::uint64_t>(static_cast<std::int64_t>(off));
            pack_block(bytes, marks[i].bit, end, '1', packed);
            REQUIRE(decoder.start(packed));
            const auto piece = decoder.next(buffer.data(), buffer.size());
            REQUIRE(piece);
            CHECK(piece->outcome == Outcome::refused);
        }
        pack_block(bytes, marks[i].bit, bytes.size() * 8, '1', packed);
        const auto taken = decoder.find_end(packed);
        REQUIRE(taken);
        REQUIRE(*taken);
        CHECK((marks[i + 1].bit - marks[i].bit + 7) / 8 + 4 == **taken);
    }
    CHECK((decoded == plain));
}

TEST_CASE("bzip2 of many blocks and streams comes out in order", "[extract][bzip2]") {
    const auto a = noise_of(530'000, 1), b = noise_of(90'000, 2);
    std::string text;
    while (text.size() < 1'500'000) text += "word" + std::to_string(text.size() * 7919 % 5003) + ' ';
    const auto empty = bzip2_stream_of("");
    check_decodes(bzip2_stream_of(a), a);
    check_decodes(bzip2_stream_of(text, 9), text);
    check_decodes(bzip2_stream_of("x"), "x");
    check_decodes(empty, "");
    check_decodes(empty + empty + bzip2_stream_of(b, 2) + empty + bzip2_stream_of(text, 3) + empty, b + text);
    check_decodes(bzip2_stream_of(b, 9) + bzip2_stream_of(a, 1) + bzip2_stream_of(b, 5), b + a + b);
    check_decodes(bzip2_stream_of(a, 4) + std::string(5000, '\0'), a);
    std::string many, joined;
    for (unsigned i = 0; i < 60; ++i) {
        joined += noise_of(1 + i * 13, i);
        many += bzip2_stream_of(noise_of(1 + i * 13, i), 1 + static_cast<int>(i % 9));
    }
    check_decodes(many, joined);
}

TEST_CASE("Long runs come out of a small block in many pieces", "[extract][bzip2]") {
    std::string plain(8'000'000, '\0');
    plain += noise_of(120'000);
    plain.append(3'000'000, 'x');
    check_decodes(bzip2_stream_of(plain, 1) + bzip2_stream_of(plain, 9), plain + plain);
}

TEST_CASE("Magic numbers inside of blocks are not taken for blocks", "[extract][bzip2][attack]") {
    for (const bool with_end : {false, true}) {
        const auto plain = text_with_false_marks(330'000, with_end);
        const auto bytes = bzip2_stream_of(plain);
        REQUIRE(marks_of(bytes).size() == 4U * (with_end ? 3 : 2) + 1);
        check_decodes(bytes, plain);
        check_decodes(bzip2_stream_of(plain, 9) + bytes, plain + plain);
    }
    const auto runs = text_with_false_marks(150'000, true) + std::string(3'000'000, '\x20');
    check_decodes(bzip2_stream_of(runs, 2), runs);
}

TEST_CASE("Damaged checksums of blocks and streams are found", "[extract][bzip2]") {
    const auto plain = noise_of(350'000);
    const auto bytes = bzip2_stream_of(plain);
    const auto marks = marks_of(bytes);
    REQUIRE(marks.size() == 5);
    for (const auto& mark : marks) {
        for (const unsigned bit : {0U, 31U}) {
            auto damaged = bytes;
            flip(damaged, mark.bit + bzip2_magic_bits + bit);
            check_refused(damaged, mark.end ? "the checksum of a stream" : "a checksum or a block");
        }
    }
    // Each block is sound, but one is missing, or they change places.
    const auto with = [&](std::vector<std::size_t> order) {
        std::string out = bytes.substr(0, 4);
        std::uint64_t bits = 32;
        const auto put = [&](std::uint64_t begin, std::uint64_t end) {
            for (auto bit = begin; bit < end; ++bit, ++bits) {
                if (bits % 8 == 0) out += '\0';
                if (bits_at(bytes, bit, 1) != 0) flip(out, bits);
            }
        };
        for (const auto i : order) put(marks[i].bit, marks[i + 1].bit);
        put(marks.back().bit, marks.back().bit + 80);
        return out;
    };
    CHECK(decode(with({0, 1, 2, 3})));
    check_refused(with({0, 1, 3}), "the checksum of a stream");
    check_refused(with({0, 2, 1, 3}), "the checksum of a stream");
}

TEST_CASE("Damaged, cut and foreign bzip2 data is refused as libbz2 refuses it", "[extract][bzip2][attack]") {
    const auto bytes = bzip2_stream_of(noise_of(105'000)) + bzip2_stream_of("tail") + bzip2_stream_of("");
    HelperThreads helpers(2);
    for (std::size_t size = 0; size < bytes.size();
         size += size < bytes.size() - 60 ? std::size_t{7499} : std::size_t{1}) {
        const auto cut = bytes.substr(0, size);
        const auto expected = plain_by_libbz2(cut);
        const auto decoded = decode(cut, &helpers);
        CAPTURE(size);
        REQUIRE(static_cast<bool>(decoded) == expected.has_value());
        if (decoded) REQUIRE((*decoded == *expected));
    }
    for (std::size_t at = 0; at < bytes.size();
         at += at < 60 || at + 60 > bytes.size() ? std::size_t{1} : std::size_t{6991}) {
        auto damaged = bytes;
        flip(damaged, at * 8 + at % 8);
        const auto expected = plain_by_libbz2(damaged);
        const auto decoded = decode(damaged, &helpers);
        CAPTURE(at);
        REQUIRE(static_cast<bool>(decoded) == expected.has_value());
        if (decoded) REQUIRE((*decoded == *expected));
    }
    check_refused("", "it is empty");
    check_refused("BZ", "it ends inside a stream");
    check_refused("not bzip2 at all", "it does not start like bzip2");
    check_refused(bytes + "rest", "it does not start like bzip2");
    check_refused(std::string(4, '\0') + bytes, "it does not start like bzip2");
    check_refused("BZh9" + std::string(100, 'x'), "a checksum or a block");
}

TEST_CASE("A block without an end does not fill the memory", "[extract][bzip2][attack]") {
    auto bytes = bzip2_stream_of(noise_of(150'000)).substr(0, 140'000);
    check_refused(bytes + std::string(std::size_t{7} << 20, 'x'), "a block is too long");
}

TEST_CASE("Helpers that come late, or never, change nothing", "[extract][bzip2]") {
    const auto plain = noise_of(900'000);
    const auto bytes = bzip2_stream_of(plain);
    LateHelpers late;
    {
        Bzip2Stream stream;
        Pieces source(bytes, 5000);
        REQUIRE(stream.start(source, &late));
        const auto decoded = read_all(stream);
        REQUIRE(decoded);
        CHECK((*decoded == plain));
        REQUIRE(late.tasks.size() == 1);
        late.tasks.front()();
        late.tasks.clear();
        Pieces again(bytes, 5000);
        REQUIRE(stream.start(again, &late)); // the same stream is used again, and given up in the midst of it
        REQUIRE(stream.next());
        stream.stop();
        REQUIRE_FALSE(late.tasks.empty());
    }
    for (const auto& task : late.tasks) task(); // the stream is gone
}

TEST_CASE("A decoding can be given up while helpers are at it", "[extract][bzip2]") {
    HelperThreads helpers(3);
    const auto bytes = bzip2_stream_of(noise_of(2'000'000));
    Bzip2Stream stream;
    for (int i = 0; i < 20; ++i) {
        Pieces source(bytes, 70'000);
        REQUIRE(stream.start(source, &helpers));
        for (int piece = 0; piece < i % 5; ++piece) REQUIRE(stream.next());
        stream.stop();
    }
    CHECK(helpers.started > 0);
}
