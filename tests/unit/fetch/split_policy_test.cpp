#include <catch2/catch.hpp>

#include "fetch/split_policy.hpp"

using namespace taipan;

namespace {

constexpr double mega = 1e6;

/// 300 MB at 8 MB/s, settled, all others done.
DownloadView slow_one() {
    DownloadView view;
    view.splittable = true;
    view.remaining = 300'000'000;
    view.rate = view.earlier_rate = 8 * mega;
    view.age = 2;
    return view;
}

/// Several connections got 100 MB/s before.
LineView room() {
    LineView view;
    view.rate = 8 * mega;
    view.peak_of_several = 100 * mega;
    view.connections = 1;
    view.free_slots = 15;
    return view;
}

} // namespace

TEST_CASE("one connection is the limit when the line did much better with several", "[split]") {
    CHECK(decide_split(slow_one(), room()).more_connections == 3);
}

TEST_CASE("no more connections when", "[split]") {
    auto download = slow_one();
    auto line = room();
    SECTION("the server cannot do it, or it is known that the parts could not be verified") {
        download.splittable = false;
    }
    SECTION("little is left") { download.remaining = 5'000'000; }
    SECTION("it will be over soon") { download.remaining = 11'000'000; }
    SECTION("it has just begun") { download.age = 0.3; }
    SECTION("it is still getting faster") { download.earlier_rate = 5 * mega; }
    SECTION("others wait for a connection") { line.waiting = 1; }
    SECTION("there is no slot") { line.free_slots = 0; }
    SECTION("it gets nothing at all") { download.rate = 0; }
    SECTION("several connections were no faster than this one is alone") { line.peak_of_several = 9 * mega; }
    const auto decision = decide_split(download, line);
    CHECK(decision.more_connections == 0);
    CHECK_FALSE(decision.give_up);
}

TEST_CASE("where the run has not shown what the line can do, one more connection does", "[split]") {
    auto line = room();
    line.peak_of_several = 0;
    CHECK(decide_split(slow_one(), line).more_connections == 1);
    auto fast = slow_one(); // not for a second or two
    fast.rate = fast.earlier_rate = 110 * mega;
    line.rate = 110 * mega;
    CHECK(decide_split(fast, line).more_connections == 0);
    // Four equal ones at the speed that several connections had: it is not known whether more would help.
    line.rate = line.peak_of_several = 32 * mega;
    line.connections = 4;
    CHECK(decide_split(slow_one(), line).more_connections == 1);
}

TEST_CASE("steps go on as long as they bring what they should", "[split]") {
    auto download = slow_one();
    auto line = room();
    download.connections = 4;
    download.added = 3;
    download.total_before_then = download.connection_rate_before_then = 8 * mega;
    SECTION("not looked at before it can have worked") {
        download.added_ago = 0.4;
        CHECK(decide_split(download, line).more_connections == 0);
        CHECK_FALSE(decide_split(download, line).give_up);
    }
    download.added_ago = 1;
    SECTION("it worked: all that is free") {
        download.rate = line.rate = 31 * mega;
        line.free_slots = 12;
        CHECK(decide_split(download, line).more_connections == 12);
    }
    SECTION("it worked, and little is left for more") {
        download.rate = line.rate = 31 * mega;
        download.remaining = 40'000'000;
        line.free_slots = 12;
        CHECK(decide_split(download, line).more_connections < 12);
    }
    SECTION("it did not: never again") {
        download.rate = line.rate = 9 * mega;
        CHECK(decide_split(download, line).give_up);
        CHECK(decide_split(download, line).more_connections == 0);
    }
}

namespace {

/// 8 MB of a package are left at 10 MB/s; 12 MB of all at a line that did 120 MB/s, and half of the slots are free.
DownloadView straggler() {
    DownloadView view;
    view.splittable = true;
    view.remaining = 8 << 20;
    view.rate = view.earlier_rate = view.recent_rate = 10 * mega;
    view.age = 2;
    return view;
}
LineView full_line() {
    LineView view;
    view.rate = view.recent_rate = view.peak_of_several = 120 * mega;
    view.remaining = 12 << 20;
    view.connections = 8;
    view.free_slots = 8;
    return view;
}

} // namespace

TEST_CASE("at the end of a run, what would last much longer than all together gets half of the free connections",
          "[split]") {
    auto download = straggler();
    auto line = full_line();
    CHECK(decide_split(download, line).more_connections == 4);
    SECTION("but not more than its rest is worth") {
        download.remaining = 4 << 20;
        CHECK(decide_split(download, line).more_connections == 3);
    }
    SECTION("once") {
        download.added = 4;
        download.added_ago = 0.1;
        CHECK(decide_split(download, line).more_connections == 0);
    }
    SECTION("and none") {
        SECTION("while others wait") { line.waiting = 1; }
        SECTION("when there is none") { line.free_slots = 0; }
        SECTION("when it will be over at once") { download.recent_rate = 40 * mega; }
        SECTION("when it takes as long as all others") { line.remaining = 70 << 20; }
        SECTION("when the line never did better than this one does") { line.peak_of_several = 12 * mega; }
        SECTION("when it is not known what the line can do") { line.peak_of_several = 0; }
        SECTION("when it has just begun") { download.age = 0.2; }
        SECTION("when little is left") { download.remaining = 1 << 20; }
        CHECK(decide_split(download, line).more_connections == 0);
    }
}
