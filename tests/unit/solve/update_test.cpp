#include <catch2/catch.hpp>

#include "solve/changes.hpp"

using namespace taipan;
using namespace taipan::test;

TEST_CASE("update", "[solve]") {
    MemorySource source({
        package("a", "1.0"),
        package("a", "2.0", "0", {"lib >=2"}),
        package("lib", "1.0"),
        package("lib", "2.0"),
        package("other", "1.0"),
        package("other", "2.0"),
    });
    SolveRequest request;
    request.installed = {in_main(package("a", "1.0")), in_main(package("lib", "1.0")),
                         in_main(package("other", "1.0"))};
    request.history = history({"a", "other"});
    SECTION("the named package, with what that takes") {
        request.update = specs({"a"});
        CHECK(changes(request, source) == Names{"-lib-1.0-0", "-a-1.0-0", "+lib-2.0-0", "+a-2.0-0"});
    }
    SECTION("all") {
        request.update_all = true;
        const auto solution = solve(request, source);
        REQUIRE(solution);
        CHECK(sorted_names(solution->final_state) == Names{"a-2.0-0", "lib-2.0-0", "other-2.0-0"});
    }
    SECTION("all but what is pinned") {
        request.update_all = true;
        request.pins = specs({"lib 1.*", "other"});
        CHECK(changes(request, source).empty());
    }
    SECTION("what is not installed cannot be updated") {
        request.update = specs({"nothing"});
        const auto failed = solve(request, source);
        REQUIRE_FALSE(failed);
        CHECK(failed.error().code == ErrorCode::package_not_found);
        CHECK(failed.error().message.find("not installed") != std::string::npos);
    }
    SECTION("never goes back") {
        request.installed[0] = in_main(package("a", "3.0"));
        request.update = specs({"a"});
        CHECK(changes(request, source).empty());
        request.update = specs({"a=2.0"}); // unless that is what was asked for
        CHECK(changes(request, source) == Names{"-lib-1.0-0", "-a-3.0-0", "+lib-2.0-0", "+a-2.0-0"});
    }
}

TEST_CASE("update_deps takes the dependencies along", "[solve]") {
    MemorySource source({package("a", "2.0", "0", {"lib"}), package("lib", "1.0", "0", {"deep"}),
                         package("lib", "2.0", "0", {"deep"}), package("deep", "1.0"), package("deep", "2.0"),
                         package("other", "1.0"), package("other", "2.0")});
    SolveRequest request;
    request.installed = {in_main(package("lib", "1.0", "0", {"deep"})), in_main(package("deep", "1.0")),
                         in_main(package("other", "1.0"))};
    request.install = specs({"a"});
    CHECK(changes(request, source) == Names{"+a-2.0-0"});
    request.update_deps = true;
    CHECK(changes(request, source) == Names{"-lib-1.0-0", "-deep-1.0-0", "+deep-2.0-0", "+lib-2.0-0", "+a-2.0-0"});
}

TEST_CASE("an update takes out what only the old version needed", "[solve]") {
    MemorySource source({
        package("a", "1.0", "0", {"old", "shared", "wanted"}),
        package("a", "2.0", "0", {"new", "shared"}),
        package("b", "1.0", "0", {"shared"}),
        package("old", "1.0", "0", {"deep"}),
        package("deep", "1.0"),
        package("shared", "1.0"),
        package("wanted", "1.0"),
        package("new", "1.0"),
        package("alone", "1.0"),
    });
    SolveRequest request;
    request.installed = {in_main(package("a", "1.0", "0", {"old", "shared", "wanted"})),
                         in_main(package("b", "1.0", "0", {"shared"})),
                         in_main(package("old", "1.0", "0", {"deep"})),
                         in_main(package("deep", "1.0")),
                         in_main(package("shared", "1.0")),
                         in_main(package("wanted", "1.0")),
                         in_main(package("alone", "1.0"))};
    request.history = history({"wanted"});
    const Names expected = {"-a-1.0-0", "-old-1.0-0", "-deep-1.0-0", "+new-1.0-0", "+a-2.0-0"};
    SECTION("by name") {
        request.update = specs({"a"});
        CHECK(changes(request, source) == expected);
    }
    SECTION("but an install does not") {
        request.install = specs({"a"});
        CHECK(changes(request, source) == Names{"-a-1.0-0", "+new-1.0-0", "+a-2.0-0"});
    }
    SECTION("of everything") {
        request.update_all = true;
        CHECK(changes(request, source) == expected);
    }
    SECTION("but nothing when it does not change") {
        request.update = specs({"b"});
        CHECK(changes(request, source).empty());
    }
}

TEST_CASE("an update of everything takes out what was updated but is needed no longer", "[solve]") {
    MemorySource source(
        {package("a", "1.0", "0", {"tool"}), package("a", "2.0"), package("tool", "1.0"), package("tool", "2.0")});
    SolveRequest request;
    request.installed = {in_main(package("a", "1.0", "0", {"tool"})), in_main(package("tool", "1.0"))};
    request.history = history({"a"});
    request.update_all = true;
    CHECK(changes(request, source) == Names{"-a-1.0-0", "-tool-1.0-0", "+a-2.0-0"});
}

TEST_CASE("an update moves nothing that was requested and still holds", "[solve]") {
    // The newest lib would take another build of app, which is what the environment is there for.
    MemorySource source({package("app", "1.0", "x_0", {"base 1.*"}), package("app", "1.0", "y_1", {"base 2.*"}),
                         package("lib", "1.0", "0", {"base 1.*"}), package("lib", "2.0", "0", {"base 2.*"}),
                         package("base", "1.0"), package("base", "2.0")});
    SolveRequest request;
    request.installed = {in_main(package("app", "1.0", "x_0", {"base 1.*"})),
                         in_main(package("lib", "1.0", "0", {"base 1.*"})), in_main(package("base", "1.0"))};
    request.history = history({"app"});
    request.update = specs({"lib"});
    CHECK(changes(request, source).empty());
    request.update.clear();
    request.install = specs({"lib>=2"}); // that is asked for, whatever it takes
    const auto solution = solve(request, source);
    REQUIRE(solution);
    CHECK(sorted_names(solution->final_state) == Names{"app-1.0-y_1", "base-2.0-0", "lib-2.0-0"});
}

TEST_CASE("an update of everything keeps the build of what was requested, and with it what that needs", "[solve]") {
    const auto old_build = package("yaml", "1.0", "a_2", {"vc 9"}),
               new_build = package("yaml", "1.0", "b_2", {"vc 14"});
    MemorySource source({old_build, new_build, package("vc", "9"), package("vc", "14")});
    SolveRequest request;
    request.installed = {in_main(old_build), in_main(package("vc", "9"))};
    request.history = history({"yaml"});
    request.update_all = true;
    CHECK(changes(request, source).empty());
}

TEST_CASE("another variant is no update", "[solve]") {
    auto old_build = package("a", "1.0", "x_0", {"lib 1.0"}), new_build = package("a", "1.0", "y_0", {"lib 2.0"});
    old_build.timestamp = 1'500'000'000'000;
    new_build.timestamp = 1'600'000'000'000;
    MemorySource source({old_build, new_build, package("lib", "1.0"), package("lib", "2.0")});
    SolveRequest request;
    request.installed = {in_main(old_build), in_main(package("lib", "1.0"))};
    request.update = specs({"a"});
    CHECK(changes(request, source).empty());
}

TEST_CASE("an update of everything goes by the packages, not by what was requested", "[solve]") {
    MemorySource source({
        package("blas", "1.0", "mkl"),
        package("blas", "1.0", "openblas"),
        package("nomkl", "2.0"),
        package("nomkl", "3.0", "0", {"blas 1.0 openblas"}),
    });
    auto installed_blas = in_main(package("blas", "1.0", "mkl"));
    SolveRequest request;
    request.installed = {installed_blas, in_main(package("nomkl", "2.0"))};
    request.history = history({"blas", "nomkl"});
    request.update_all = true;
    const auto solution = solve(request, source);
    REQUIRE(solution);
    CHECK(solution->final_state.size() == 2); // whatever moves, nothing that was requested vanishes
}

TEST_CASE("an update of everything begins with what others need, if it was requested", "[solve]") {
    MemorySource source({
        package("python", "3.3.5", "1", {"xz"}),
        package("python", "3.3.5", "4", {"xz 5.0.5"}),
        package("xz", "5.0.5"),
        package("xz", "5.2.3"),
    });
    SolveRequest request;
    request.installed = {in_main(package("python", "3.3.5", "4", {"xz 5.0.5"})), in_main(package("xz", "5.0.5"))};
    request.update_all = true;
    CHECK(changes(request, source).empty()); // xz is there for python only
    request.history = history({"python", "xz"});
    const auto solution = solve(request, source);
    REQUIRE(solution);
    CHECK(names_of(solution->final_state) == Names{"xz-5.2.3-0", "python-3.3.5-1"});
}

TEST_CASE("an update takes the variant whose dependencies can be newer", "[solve]") {
    const auto old_variant = package("a", "1.0", "x_0", {"lib <2"});
    const auto new_variant = package("a", "1.0", "y_0", {"lib >=2"});
    MemorySource source({old_variant, new_variant, package("lib", "1.0"), package("lib", "2.0")});
    SolveRequest request;
    request.installed = {in_main(old_variant), in_main(package("lib", "1.0"))};
    request.history = history({"a", "lib"});
    request.update_all = true;
    CHECK(changes(request, source) == Names{"-a-1.0-x_0", "-lib-1.0-0", "+lib-2.0-0", "+a-1.0-y_0"});
}

TEST_CASE("a python that is installed without pip goes on without it", "[solve]") {
    MemorySource source(
        {package("python", "3.11.4"), package("pip", "24.0", "0", {"python"}), package("other", "1.0")});
    SolveRequest request;
    request.installed = {in_main(package("python", "3.11.4"))};
    request.install = specs({"other"});
    CHECK(changes(request, source) == Names{"+other-1.0-0"});
    request.installed.push_back(in_main(package("pip", "24.0", "0", {"python"})));
    request.install = {};
    request.history = history({"python"});
    request.remove = specs({"pip"});
    CHECK(changes(request, source) == Names{"-pip-24.0-0"});
}
