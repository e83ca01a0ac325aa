// Our order of versions against libsolv's own, on random versions without the corners in which libsolv differs from
// conda: a trailing underscore and a local part (conda-spec 6.6).

#include <catch2/catch.hpp>

#include <array>
#include <random>
#include <string>

#include "model/version.hpp"
#include "solve/solv_door.hpp"

extern "C" {
#include <solv/evr.h>
}

using namespace taipan;

namespace {

using Random = std::minstd_rand;

template <std::size_t Size> const char* one_of(const std::array<const char*, Size>& choices, Random& random) {
    return choices.at(random() % Size);
}

std::string component(Random& random) {
    static constexpr std::array<const char*, 10> numbers{"0",  "1",  "2",   "3",    "9",
                                                         "10", "01", "007", "2024", "20240131"};
    static constexpr std::array<const char*, 10> words{"a", "b", "rc", "dev", "post", "alpha", "g", "z", "pre", "RC"};
    std::string text = one_of(numbers, random);
    if (random() % 4 == 0) text += one_of(words, random);
    if (random() % 8 == 0) text = one_of(words, random);
    if (random() % 6 == 0) text += one_of(numbers, random);
    return text;
}

std::string version_text(Random& random) {
    std::string text = random() % 10 == 0 ? std::to_string(random() % 3) + '!' : std::string();
    text += component(random);
    for (auto more = random() % 4; more > 0; --more) text += (random() % 8 == 0 ? '_' : '.') + component(random);
    return text;
}

int sign(std::weak_ordering order) { return order < 0 ? -1 : order > 0 ? 1 : 0; }

} // namespace

TEST_CASE("libsolv orders versions as we do", "[version][property]") {
    const solve_detail::PoolHandle pool(pool_create());
    pool_setdisttype(pool.get(), DISTTYPE_CONDA);
    Random random(20261123);
    std::array<int, 3> seen{};
    for (int i = 0; i < 20'000; ++i) {
        const std::string a = version_text(random);
        const std::string b = random() % 10 == 0 ? a + ".0" : version_text(random);
        const auto x = Version::parse(a);
        const auto y = Version::parse(b);
        INFO(a << " against " << b);
        REQUIRE(x);
        REQUIRE(y);
        const int ours = sign(*x <=> *y);
        const int theirs = sign(pool_evrcmp_str(pool.get(), a.c_str(), b.c_str(), EVRCMP_COMPARE) <=> 0);
        if (ours != theirs) CHECK(ours == theirs);
        ++seen.at(static_cast<std::size_t>(ours + 1));
    }
    for (const int count : seen) CHECK(count > 100);
}
