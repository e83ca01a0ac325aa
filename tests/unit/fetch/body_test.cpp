#include <catch2/catch.hpp>

#include <string>

#include "base/filesystem.hpp"
#include "fetch/body.hpp"
#include "scratch.hpp"

using namespace taipan;

namespace {

std::string view_of(Body& body) {
    auto view = body.view();
    REQUIRE(view);
    return std::string(*view);
}

} // namespace

TEST_CASE("a small body stays in memory and gives its budget back") {
    const Scratch directory;
    MemoryBudget budget(2 << 20);
    {
        auto body = Body::open(budget, directory.path, 10);
        REQUIRE(body);
        REQUIRE(body->append("01234"));
        REQUIRE(body->append("56789"));
        CHECK(view_of(*body) == "0123456789");
        CHECK(directory.entries() == 0);
        CHECK_FALSE(budget.try_take(2 << 20));
    }
    CHECK(budget.try_take(2 << 20));
}

TEST_CASE("a body that exceeds the budget goes to a file, which goes away with it") {
    const Scratch directory;
    MemoryBudget budget(100);
    {
        auto body = Body::open(budget, directory.path, 1000);
        REQUIRE(body);
        const std::string bytes(1000, 'x');
        REQUIRE(body->append(bytes));
        CHECK(directory.entries() == 1);
        CHECK(view_of(*body) == bytes);
        CHECK(budget.try_take(100));
    }
    CHECK(directory.entries() == 0);
}

TEST_CASE("a body of unknown size moves to a file when it grows too large") {
    const Scratch directory;
    MemoryBudget budget(3 << 20);
    auto body = Body::open(budget, directory.path, 0);
    REQUIRE(body);
    std::string all;
    for (int i = 0; i < 8; ++i) {
        const std::string piece(1 << 20, static_cast<char>('a' + i));
        all += piece;
        REQUIRE(body->append(piece));
    }
    CHECK(directory.entries() == 1);
    CHECK(view_of(*body) == all);
}

TEST_CASE("a restarted body forgets what it had, in memory and in a file") {
    const Scratch directory;
    for (const std::uint64_t budget_bytes : {0UL, 1UL << 20U}) {
        MemoryBudget budget(budget_bytes);
        auto body = Body::open(budget, directory.path, 4);
        REQUIRE(body);
        REQUIRE(body->append("old"));
        REQUIRE(body->restart());
        REQUIRE(body->append("new!"));
        CHECK(body->size() == 4);
        CHECK(view_of(*body) == "new!");
    }
}

TEST_CASE("storing a body makes the named file and leaves no other") {
    const Scratch directory;
    for (const std::uint64_t budget_bytes : {0UL, 1UL << 20U}) {
        MemoryBudget budget(budget_bytes);
        auto body = Body::open(budget, directory.path, 4);
        REQUIRE(body);
        REQUIRE(body->append("data"));
        REQUIRE(body->store_as(directory.path + "/kept"));
        CHECK(view_of(*body) == "data");
        *body = Body();
        CHECK(*read_file(directory.path + "/kept") == "data");
        CHECK(directory.entries() == 1);
    }
}
