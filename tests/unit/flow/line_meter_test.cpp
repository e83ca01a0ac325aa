#include <catch2/catch.hpp>

#include "flow/line_meter.hpp"

using namespace taipan;
using namespace std::chrono_literals;

TEST_CASE("a rate is that of the last half second, and the recent one that of the last fifth", "[line]") {
    RateWindow window;
    const MeterTime start{};
    std::uint64_t bytes = 0;
    for (int i = 0; i <= 20; ++i) { // 1000 a tick, and 4000 a tick in the last two tenths of a second
        window.sample(start + i * 50ms, bytes);
        bytes += i < 16 ? 1000 : 4000;
    }
    CHECK(window.recent_rate() == Approx(80'000));
    CHECK(window.rate() == Approx((6 * 1000 + 4 * 4000) / 0.5));
    CHECK(window.earlier_rate() == Approx(20'000));
}

TEST_CASE("nothing is known of a download that has just begun, or begins again", "[line]") {
    RateWindow window;
    const MeterTime start{};
    window.sample(start, 0);
    window.sample(start + 100ms, 5000);
    CHECK(window.recent_rate() == 0);
    window.sample(start + 250ms, 9000);
    CHECK(window.recent_rate() > 0);
    window.sample(start + 300ms, 100);
    CHECK(window.recent_rate() == 0);
}

TEST_CASE("what several connections got together is remembered when one is left", "[line]") {
    LineMeter line;
    const MeterTime start{};
    std::uint64_t bytes = 0;
    int tick = 0;
    for (; tick < 30; ++tick) line.sample(start + tick * 50ms, bytes += 5'000'000, 8);
    for (; tick < 60; ++tick) line.sample(start + tick * 50ms, bytes += 500'000, 1);
    CHECK(line.view().peak_of_several == Approx(100e6));
    CHECK(line.view().rate == Approx(10e6));
    CHECK(line.view().recent_rate == Approx(10e6));
}
