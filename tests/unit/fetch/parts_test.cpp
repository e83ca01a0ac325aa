#include <catch2/catch.hpp>

#include "fetch/parts.hpp"

using namespace taipan;

namespace {

constexpr std::size_t sharers = 4;
constexpr std::uint64_t size = 10'000;

} // namespace

TEST_CASE("parts cover a file of unknown size from its start", "[parts]") {
    PartsPlan plan(sharers);
    for (std::uint64_t i = 0; i < sharers; ++i) {
        const auto part = plan.take(size);
        REQUIRE(part);
        CHECK(part->begin == i * size);
        CHECK(part->end == (i + 1) * size);
    }
    CHECK_FALSE(plan.complete());
}

TEST_CASE("what is left of a file is shared, and nothing behind its end is asked for", "[parts]") {
    constexpr std::uint64_t total = 100'000;
    PartsPlan plan(sharers);
    std::uint64_t asked = plan.take(size)->size();
    REQUIRE(plan.set_total(total));
    std::size_t parts = 0;
    for (auto part = plan.take(total); part; part = plan.take(total)) {
        CHECK(part->begin == asked);
        CHECK(part->size() < total / 2);
        asked += part->size();
        ++parts;
    }
    CHECK(asked == total);
    CHECK(parts > sharers);
}

TEST_CASE("a part that did not arrive is handed out again", "[parts]") {
    PartsPlan plan(sharers);
    const auto first = *plan.take(size), second = *plan.take(size), third = *plan.take(size);
    constexpr std::uint64_t total = size + 10;
    REQUIRE(plan.set_total(total));
    plan.give_back(third); // lies behind the end
    plan.give_back(second);
    const auto again = plan.take(size);
    REQUIRE(again);
    CHECK(again->begin == first.end);
    CHECK(again->end == total);
    CHECK_FALSE(plan.take(size));
    plan.arrived(total - 1);
    CHECK_FALSE(plan.complete());
    plan.arrived(1);
    CHECK(plan.complete());
}

TEST_CASE("parts of files of two sizes do not go together", "[parts]") {
    PartsPlan plan(sharers);
    CHECK(plan.set_total(size));
    CHECK(plan.set_total(size));
    CHECK_FALSE(plan.set_total(size + 1));
}

TEST_CASE("a part's answer says where it belongs", "[parts]") {
    const PartsPlan::Part part{100, 200};
    CHECK(total_of_part("bytes 100-199/1000", part) == 1000U);
    CHECK(total_of_part("bytes 100-149/150", part) == 150U); // the file ends inside of it
    for (const char* other :
         {"bytes 100-149/1000", "bytes 0-99/1000", "bytes 100-199/*", "bytes 100-199", "", "bytes */1000",
          "bytes 100-199/1000x", "bytes 100-199/-5", "bytes 100-199/100", "items 100-199/1000"})
        CHECK_FALSE(total_of_part(other, part));
}
