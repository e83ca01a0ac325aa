#include <catch2/catch.hpp>

#include "repodata/rolling_memory.hpp"

#include <algorithm>
#include <cstring>
#include <deque>

using namespace taipan::repodata;

namespace {

constexpr std::size_t block = std::size_t{128} << 10;

struct Written {
    const char* place;
    std::size_t size;
    char value;
    [[nodiscard]] bool is_there() const {
        return std::all_of(place, place + size, [this](char byte) { return byte == value; });
    }
};

/// Writes so many bytes in blocks of different sizes; how often they did not go on where the last ones ended.
int write(RollingMemory& memory, std::size_t total) {
    std::deque<Written> kept;
    std::size_t size_of_kept = 0;
    int jumps = 0;
    char value = 0;
    for (std::size_t done = 0; done < total; ++value) {
        REQUIRE(memory.make_room(block));
        REQUIRE(memory.room() >= block);
        const std::size_t size = block - static_cast<std::size_t>(value & 7) * 1000;
        if (!kept.empty() && memory.place() != kept.back().place + kept.back().size) ++jumps;
        std::memset(memory.place(), value, size);
        kept.push_back({memory.place(), size, value});
        memory.advance(size);
        done += size;
        size_of_kept += size;
        while (size_of_kept - kept.front().size >= memory.kept()) {
            size_of_kept -= kept.front().size;
            kept.pop_front();
        }
        REQUIRE(kept.front().is_there());
        REQUIRE(kept[kept.size() / 2].is_there());
    }
    CHECK(std::all_of(kept.begin(), kept.end(), [](const Written& one) { return one.is_there(); }));
    return jumps;
}

} // namespace

TEST_CASE("the last bytes are kept at addresses that go on", "[rolling_memory]") {
    constexpr std::size_t kept = std::size_t{3} << 20, total = std::size_t{40} << 20;
    RollingMemory memory(kept, total);
    CHECK(write(memory, total) == 0);
}

TEST_CASE("more than was said goes elsewhere, and what is kept stays", "[rolling_memory]") {
    constexpr std::size_t kept = std::size_t{3} << 20, total = std::size_t{40} << 20;
    for (const std::size_t said : {kept, total / 4, std::size_t{0}}) {
        RollingMemory memory(kept, said);
        const int jumps = write(memory, total);
        CHECK(jumps > 0);
        CHECK(jumps < 20);
    }
}

TEST_CASE("memory can be given to somebody else", "[rolling_memory]") {
    constexpr std::size_t size = std::size_t{5} << 20;
    RollingMemory first(block, size), second;
    write(first, size);
    second = std::move(first);
    write(second, size);
    second = RollingMemory(size, size);
    CHECK(write(second, size - block) == 0);
}
