#include <catch2/catch.hpp>

#include <set>

#include "base/temporary_name.hpp"

using namespace taipan;

TEST_CASE("a temporary name tells whose it is, and is given once") {
    std::set<std::string> names;
    for (int i = 0; i < 100; ++i) names.insert(temporary_name("/x/.taipan-a-1-0"));
    CHECK(names.size() == 100);
    for (const auto& name : names) CHECK(run_of_temporary(name) == run_number());
    CHECK(run_of_temporary(temporary_name("x.json.taipan")) == run_number());
}

TEST_CASE("other names are nobody's") {
    CHECK(run_of_temporary(".taipan-a-1-0-77-3") == 77);
    CHECK(run_of_temporary("x.json.taipan-12-0") == 12);
    for (const auto* name : {"numpy-1-0", ".taipan.lock", ".taipan-index", ".taipan-pyc", ".taipan-a-b",
                             ".taipan-a-0-1", ".taipan-a-99999999999999999999-1", ""}) {
        CHECK(run_of_temporary(name) == 0);
    }
}
