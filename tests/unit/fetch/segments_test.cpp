#include <catch2/catch.hpp>

#include <random>
#include <vector>

#include "fetch/segments.hpp"

using namespace taipan;

TEST_CASE("pieces are handed out from the front and together make the whole", "[segments]") {
    Segments segments(1000, 100);
    CHECK(segments.untaken() == 0);
    segments.cut_stream(200); // the stream keeps [0, 300)
    CHECK(segments.untaken() == 700);
    const auto first = segments.take(300);
    REQUIRE(first);
    CHECK(first->begin == 300);
    CHECK(first->end == 600);
    const auto second = segments.take(1000);
    REQUIRE(second);
    CHECK(second->begin == 600);
    CHECK(second->end == 1000);
    CHECK_FALSE(segments.take(1));

    segments.advance(second->id, 400);
    CHECK(segments.prefix() == 100);
    segments.advance(Segments::stream, 200);
    CHECK(segments.prefix() == 300);
    CHECK_FALSE(segments.extend(Segments::stream, 10)); // somebody fetches that
    segments.advance(first->id, 300);
    CHECK(segments.prefix() == 1000);
    CHECK(segments.complete());
}

TEST_CASE("what a connection could not bring is fetched by another one", "[segments]") {
    Segments segments(1000, 0);
    segments.cut_stream(100);
    const auto piece = segments.take(400); // [100, 500)
    REQUIRE(piece);
    segments.advance(piece->id, 150);
    segments.give_back(piece->id);
    CHECK(segments.untaken() == 250 + 500);
    const auto rest = segments.take(1000);
    REQUIRE(rest);
    CHECK(rest->begin == 250);
    CHECK(rest->end == 500);
    CHECK(segments.received() == 150);
}

TEST_CASE("who has nothing to do takes half of what another one has", "[segments]") {
    Segments segments(1000, 0);
    CHECK_FALSE(segments.take(100)); // all is the stream's
    const auto half = segments.take_from_others(100);
    REQUIRE(half);
    CHECK(half->begin == 500);
    CHECK(segments.left(Segments::stream) == 500);
    CHECK_FALSE(segments.extend(Segments::stream, 100));
    CHECK_FALSE(segments.take_from_others(300));
    segments.advance(half->id, 500);
    segments.advance(Segments::stream, 400);
    segments.give_back(Segments::stream);
    CHECK_FALSE(segments.take_from_others(1)); // it is nobody's
    CHECK(segments.take(1000)->begin == 400);
}

TEST_CASE("the stream goes on where nobody else is", "[segments]") {
    Segments segments(1000, 50);
    segments.cut_stream(50); // [0, 100)
    segments.advance(Segments::stream, 50);
    CHECK(segments.left(Segments::stream) == 0);
    CHECK(segments.extend(Segments::stream, 300));
    CHECK(segments.left(Segments::stream) == 300);
    CHECK(segments.extend(Segments::stream, 5000));
    CHECK(segments.left(Segments::stream) == 900);
    CHECK_FALSE(segments.extend(Segments::stream, 1));
    segments.advance(Segments::stream, 900);
    CHECK(segments.complete());
}

TEST_CASE("any order of events leaves neither gap nor overlap", "[segments]") {
    std::mt19937 random(7);
    const auto below = [&](std::uint64_t n) { return std::uniform_int_distribution<std::uint64_t>(0, n - 1)(random); };
    for (int round = 0; round < 200; ++round) {
        const std::uint64_t total = 1 + below(5000);
        std::vector<int> written(total, 0);
        std::uint64_t streamed = below(total);
        for (std::uint64_t i = 0; i < streamed; ++i) ++written[i];
        Segments segments(total, streamed);
        segments.cut_stream(below(500));
        std::vector<Segments::Piece> at_work;
        bool streaming = true;
        while (!segments.complete()) {
            if (streaming && below(4) == 0) {
                if (segments.left(Segments::stream) == 0 && !segments.extend(Segments::stream, 1 + below(300))) {
                    segments.give_back(Segments::stream);
                    streaming = false;
                    continue;
                }
                const std::uint64_t count = 1 + below(segments.left(Segments::stream));
                for (std::uint64_t i = 0; i < count; ++i) ++written[streamed++];
                segments.advance(Segments::stream, count);
            } else if (at_work.size() < 4 && below(2) == 0) {
                auto piece = segments.take(1 + below(400));
                if (!piece) piece = segments.take_from_others(1 + below(20));
                if (piece) at_work.push_back(*piece);
            } else if (!at_work.empty()) {
                const auto index = static_cast<std::size_t>(below(at_work.size()));
                const auto piece = at_work[index];
                const std::uint64_t left = segments.left(piece.id);
                const std::uint64_t count = left == 0 ? 0 : 1 + below(left);
                for (std::uint64_t i = 0; i < count; ++i) ++written[segments.position(piece.id) + i];
                segments.advance(piece.id, count);
                if (count == left || below(5) == 0) {
                    segments.give_back(piece.id);
                    at_work.erase(at_work.begin() + static_cast<std::ptrdiff_t>(index));
                }
            }
        }
        CHECK(segments.prefix() == total);
        CHECK(std::all_of(written.begin(), written.end(), [](int times) { return times == 1; }));
    }
}

TEST_CASE("pieces get smaller towards the end, but not too small", "[segments]") {
    constexpr std::uint64_t mega = 1U << 20U;
    CHECK(piece_size(1600 * mega, 8, 0) == 64 * mega);
    CHECK(piece_size(160 * mega, 8, 0) == 10 * mega);
    CHECK(piece_size(8 * mega, 8, 0) == mega);
    CHECK(piece_size(0, 0, -1) == mega);
    CHECK(piece_size(8 * mega, 8, 20.0 * mega) == 3 * mega);    // shorter is not worth asking for
    CHECK(piece_size(1600 * mega, 1, 8.0 * mega) == 16 * mega); // longer takes too long
}
