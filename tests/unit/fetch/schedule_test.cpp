#include <catch2/catch.hpp>

#include "fetch/schedule.hpp"

using namespace taipan;
using Order = std::vector<std::size_t>;

TEST_CASE("the largest goes first, small ones fill in", "[schedule]") {
    constexpr std::uint64_t small = 10'000, large = 5'000'000;
    CHECK(next_download({large, 2 * large}, 0, 16) == 1);
    CHECK(next_download({small, small, large}, 0, 16) == 0);
    CHECK(next_download({small, small, large}, 3, 16) == 0);
    CHECK(next_download({small, small, large}, 4, 16) == 2);
    CHECK(next_download({small, 2 * small}, 0, 16) == 1); // only small ones: the largest of them
    CHECK(next_download({small, large}, 0, 1) == 1);
    CHECK(next_download({large}, 0, 16) == 0);
}

TEST_CASE("mirrors are chosen by what they can do", "[schedule]") {
    constexpr std::uint64_t large = 50'000'000, small = 10'000;
    const auto order = [](std::vector<MirrorView> mirrors, std::uint64_t size) { return mirror_order(mirrors, size); };
    CHECK(order({{}, {}, {}}, large) == Order{0, 1, 2});                       // nothing known: as configured
    CHECK(order({{1e6, 0, 0}, {9e6, 0, 0}}, large) == Order{1, 0});            // the faster one
    CHECK(order({{1e6, 0, 0}, {9e6, 0, 1}}, large) == Order{0, 1});            // but not when it fails
    CHECK(order({{8e6, 9, 0}, {7e6, 0, 0}}, large) == Order{1, 0});            // the less crowded one
    CHECK(order({{8e6, 0, 0}, {}}, large) == Order{0, 1});                     // nothing large to an unknown one
    CHECK(order({{8e6, 1, 0}, {}}, small) == Order{1, 0});                     // but something small
    CHECK(order({{0.5e6, 0, 0}, {0.1e6, 0, 0}, {}}, large) == Order{0, 2, 1}); // rather unknown than slow
    CHECK(order({{0, 3, 0}, {0, 0, 0}}, small) == Order{1, 0});                // everything at once to all of them
}
