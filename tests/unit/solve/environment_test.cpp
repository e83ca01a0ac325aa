#include <catch2/catch.hpp>

#include "solve/changes.hpp"

using namespace taipan;
using namespace taipan::test;

TEST_CASE("install holds everything else that is installed", "[solve]") {
    MemorySource source({
        package("app", "1.0", "0", {"lib"}),
        package("app", "2.0", "0", {"lib >=2"}),
        package("lib", "1.0"),
        package("lib", "2.0"),
        package("tool", "1.0"),
        package("tool", "2.0"),
    });
    SolveRequest request;
    request.installed = {in_main(package("lib", "1.0")), in_main(package("tool", "1.0"))};
    request.install = specs({"app"});
    CHECK(changes(request, source) == Names{"+app-1.0-0"});
    SECTION("and lets go what is in the way") {
        request.install = specs({"app=2"});
        CHECK(changes(request, source) == Names{"-lib-1.0-0", "+lib-2.0-0", "+app-2.0-0"});
    }
    SECTION("unless it is frozen") {
        request.install = specs({"app=2"});
        request.freeze_installed = true;
        const auto failed = solve(request, source);
        REQUIRE_FALSE(failed);
        CHECK(failed.error().code == ErrorCode::unsatisfiable);
        CHECK(failed.error().message.find("lib is to stay at 1.0") != std::string::npos);
    }
}

TEST_CASE("an installed package that is requested is updated", "[solve]") {
    MemorySource source({package("a", "1.0"), package("a", "2.0"), package("a", "3.0")});
    SolveRequest request;
    request.installed = {in_main(package("a", "1.0"))};
    request.install = specs({"a"});
    CHECK(changes(request, source) == Names{"-a-1.0-0", "+a-3.0-0"});
    request.install = specs({"a<3"});
    CHECK(changes(request, source) == Names{"-a-1.0-0", "+a-2.0-0"});
    request.install = specs({"a=1.0"});
    CHECK(changes(request, source).empty());
}

TEST_CASE("what was requested earlier is asked for again", "[solve]") {
    MemorySource source({
        package("a", "1.0", "0", {"lib <2"}),
        package("a", "2.0", "0", {"lib >=2"}),
        package("b", "1.0", "0", {"lib >=2"}),
        package("lib", "1.0"),
        package("lib", "2.0"),
    });
    SolveRequest request;
    request.installed = {in_main(package("a", "1.0", "0", {"lib <2"})), in_main(package("lib", "1.0"))};
    request.install = specs({"b"});
    SECTION("by name: it moves along") {
        request.history = history({"a"});
        CHECK(changes(request, source) == Names{"-a-1.0-0", "-lib-1.0-0", "+lib-2.0-0", "+a-2.0-0", "+b-1.0-0"});
    }
    SECTION("by version: the request fails and says why") {
        request.history = history({"a=1.0"});
        const auto failed = solve(request, source);
        REQUIRE_FALSE(failed);
        CHECK(failed.error().message.find("as requested earlier: a=1.0") != std::string::npos);
        CHECK(failed.error().message.find("as requested: b") != std::string::npos);
    }
}

TEST_CASE("a history spec with a build is relaxed to the version, and noted", "[solve]") {
    MemorySource source({
        package("a", "1.0", "x_0", {"lib <2"}),
        package("a", "1.0", "y_0", {"lib >=2"}),
        package("b", "1.0", "0", {"lib >=2"}),
        package("lib", "1.0"),
        package("lib", "2.0"),
    });
    SolveRequest request;
    request.installed = {in_main(package("a", "1.0", "x_0", {"lib <2"})), in_main(package("lib", "1.0"))};
    request.history = history({"a==1.0=x_0"});
    request.install = specs({"b"});
    const auto solution = solve(request, source);
    REQUIRE(solution);
    CHECK(sorted_names(solution->final_state) == Names{"a-1.0-y_0", "b-1.0-0", "lib-2.0-0"});
    REQUIRE(solution->neutered.size() == 1);
    CHECK(solution->neutered[0].replacement == "a==1.0");
}

TEST_CASE("what is updated is not held to the version it was requested in", "[solve]") {
    MemorySource source({package("a", "1.0"), package("a", "2.0"), package("b", "1.0"), package("b", "2.0")});
    SolveRequest request;
    request.installed = {in_main(package("a", "1.0")), in_main(package("b", "1.0"))};
    request.history = history({"a=1.0", "b==1.0=0"});
    SECTION("all") {
        request.update_all = true;
        const auto solution = solve(request, source);
        REQUIRE(solution);
        CHECK(sorted_names(solution->final_state) == Names{"a-2.0-0", "b-2.0-0"});
        REQUIRE(solution->neutered.size() == 2);
        CHECK(solution->neutered[0].replacement == "a==2.0");
    }
    SECTION("one that is always updated") {
        request.always_update = {"a"};
        request.update = specs({"b"});
        CHECK(changes(request, source) == Names{"-b-1.0-0", "-a-1.0-0", "+a-2.0-0", "+b-2.0-0"});
    }
    SECTION("others are") {
        request.update = specs({"b"});
        CHECK(changes(request, source) == Names{"-b-1.0-0", "+b-2.0-0"});
    }
}

TEST_CASE("python keeps its minor version unless asked", "[solve]") {
    MemorySource source({
        package("python", "3.11.4", "h_0"),
        package("python", "3.11.9", "h_0"),
        package("python", "3.12.1", "h_0"),
        package("new", "1.0", "0", {"python >=3.12"}),
        package("ext", "1.0", "py311_0", {"python >=3.11,<3.12.0a0"}),
        package("ext", "1.0", "py312_0", {"python >=3.12,<3.13.0a0"}),
        noarch_python(package("pure", "1.0", "py_0", {"python"})),
    });
    SolveRequest request;
    request.installed = {in_main(package("python", "3.11.4", "h_0")),
                         in_main(package("ext", "1.0", "py311_0", {"python >=3.11,<3.12.0a0"})),
                         in_main(noarch_python(package("pure", "1.0", "py_0", {"python"})))};
    request.history = history({"python", "ext", "pure"});
    SECTION("another package cannot move it") {
        request.install = specs({"new"});
        const auto failed = solve(request, source);
        REQUIRE_FALSE(failed);
        CHECK(failed.error().message.find("move python from 3.11.4") != std::string::npos);
    }
    SECTION("update --all stays within the minor version") {
        request.update_all = true;
        CHECK(changes(request, source) == Names{"-python-3.11.4-h_0", "+python-3.11.9-h_0"});
    }
    SECTION("asked for, compiled packages follow and noarch ones are linked anew") {
        request.install = specs({"python=3.12"});
        const auto solution = solve(request, source);
        REQUIRE(solution);
        CHECK(names_of(solution->unlink) == Names{"pure-1.0-py_0", "ext-1.0-py311_0", "python-3.11.4-h_0"});
        CHECK(names_of(solution->link) == Names{"python-3.12.1-h_0", "ext-1.0-py312_0", "pure-1.0-py_0"});
        CHECK(solution->relinked_noarch == Names{"pure"});
    }
    SECTION("so are they when it looks for them elsewhere") {
        auto other = package("python", "3.11.9", "h_t");
        other.python_site_packages_path = "lib/python3.11t/site-packages";
        MemorySource free_threaded({other, package("python", "3.11.9", "h_0")});
        request.installed = {request.installed[0], request.installed[2]};
        request.history = history({"python", "pure"});
        request.install = specs({"python=3.11.9=h_t"});
        const auto solution = solve(request, free_threaded);
        REQUIRE(solution);
        CHECK(solution->relinked_noarch == Names{"pure"});
        request.install = specs({"python=3.11.9=h_0"});
        const auto same = solve(request, free_threaded);
        REQUIRE(same);
        CHECK(same->relinked_noarch.empty());
    }
    SECTION("a patch release moves nothing else") {
        request.install = specs({"python=3.11.9"});
        CHECK(changes(request, source) == Names{"-python-3.11.4-h_0", "+python-3.11.9-h_0"});
    }
}

TEST_CASE("compiled dependencies that nobody requested float when python moves", "[solve]") {
    MemorySource source({
        package("python", "3.11.4", "h_0"),
        package("python", "3.12.1", "h_0"),
        package("ext", "1.0", "py311_0", {"python >=3.11,<3.12.0a0"}),
        package("ext", "1.0", "py312_0", {"python >=3.12,<3.13.0a0"}),
        package("app", "1.0", "0", {"ext"}),
    });
    SolveRequest request;
    request.installed = {in_main(package("python", "3.11.4", "h_0")),
                         in_main(package("ext", "1.0", "py311_0", {"python >=3.11,<3.12.0a0"})),
                         in_main(package("app", "1.0", "0", {"ext"}))};
    request.history = history({"app"});
    request.install = specs({"python=3.12"});
    const auto solution = solve(request, source);
    REQUIRE(solution);
    CHECK(sorted_names(solution->final_state) == Names{"app-1.0-0", "ext-1.0-py312_0", "python-3.12.1-h_0"});
}

TEST_CASE("skip_if_satisfied looks no further", "[solve]") {
    MemorySource source({package("a", "1.0"), package("a", "2.0")});
    SolveRequest request;
    request.installed = {in_main(package("a", "1.0"))};
    request.skip_if_satisfied = true;
    request.install = specs({"a"});
    CHECK(changes(request, source).empty());
    CHECK(source.asked().empty());
    request.install = specs({"a>1"});
    CHECK(changes(request, source) == Names{"-a-1.0-0", "+a-2.0-0"});
}

TEST_CASE("an installed package that violates a pin is replaced", "[solve]") {
    MemorySource source({package("a", "1.0"), package("a", "2.0"), package("b", "1.0")});
    SolveRequest request;
    request.installed = {in_main(package("a", "2.0"))};
    request.pins = specs({"a 1.*"});
    request.install = specs({"b"});
    CHECK(changes(request, source) == Names{"-a-2.0-0", "+a-1.0-0", "+b-1.0-0"});
}

TEST_CASE("force_reinstall links what is there once more", "[solve]") {
    MemorySource source({package("a", "1.0", "0", {"lib"}), package("lib", "1.0")});
    SolveRequest request;
    auto as_installed = in_main(package("a", "1.0", "0", {"lib"}));
    as_installed.url.clear();
    request.installed = {as_installed, in_main(package("lib", "1.0"))};
    request.install = specs({"a"});
    CHECK(changes(request, source).empty());
    request.force_reinstall = true;
    const auto solution = solve(request, source);
    REQUIRE(solution);
    CHECK(names_of(solution->unlink) == Names{"a-1.0-0"});
    REQUIRE(names_of(solution->link) == Names{"a-1.0-0"});
    CHECK(solution->link[0].url == "https://example.org/main/linux-64/a-1.0-0.conda"); // the channel's record
}

TEST_CASE("an installed package is not replaced for the channel it came from", "[solve]") {
    MemorySource source;
    source.add_channel("high", {package("a", "1.0"), package("a", "2.0")});
    source.add_channel("low", {package("a", "2.0"), package("a", "3.0")});
    SolveRequest request;
    request.update = specs({"a"});
    for (const auto priority : {ChannelPriority::strict, ChannelPriority::flexible}) {
        request.channel_priority = priority;
        request.installed = {package("a", "2.0")};
        request.installed[0].channel_name = "low";
        CHECK(changes(request, source).empty());
        request.installed = {package("a", "1.0")};
        request.installed[0].channel_name = "low";
        CHECK(changes(request, source) == Names{"-a-1.0-0", "+a-2.0-0"});
    }
}

TEST_CASE("an installed package that no channel has any more stays", "[solve]") {
    MemorySource source({package("b", "1.0", "0", {"gone"})});
    SolveRequest request;
    request.installed = {package("gone", "1.0")};
    request.installed[0].channel_name = "elsewhere";
    request.install = specs({"b"});
    CHECK(changes(request, source) == Names{"+b-1.0-0"});
}

TEST_CASE("remove leaves what is always updated", "[solve]") {
    MemorySource source({package("lib", "1.0")});
    SolveRequest request;
    request.installed = {in_main(package("app", "1.0", "0", {"openssl", "lib"})), in_main(package("lib", "1.0")),
                         in_main(package("openssl", "1.0", "0", {"certs"})), in_main(package("certs", "1.0"))};
    request.remove = specs({"app"});
    request.always_update = {"openssl"};
    CHECK(changes(request, source) == Names{"-app-1.0-0", "-lib-1.0-0"});
}

TEST_CASE("remove takes dependents and orphans", "[solve]") {
    MemorySource source;
    SolveRequest request;
    request.installed = {package("app", "1.0", "0", {"lib", "shared"}),
                         package("plugin", "1.0", "0", {"app"}),
                         package("lib", "1.0", "0", {"deep"}),
                         package("deep", "1.0"),
                         package("shared", "1.0"),
                         package("user", "1.0", "0", {"shared"}),
                         package("loose", "1.0")};
    request.remove = specs({"app"});
    request.history = history({"app", "user"});
    CHECK(changes(request, source) == Names{"-plugin-1.0-0", "-app-1.0-0", "-lib-1.0-0", "-deep-1.0-0"});
    SECTION("but not what was requested") {
        request.history = history({"app", "lib"});
        CHECK(changes(request, source) == Names{"-plugin-1.0-0", "-app-1.0-0"});
    }
    SECTION("by force only what is named") {
        request.force_remove = true;
        CHECK(changes(request, source) == Names{"-app-1.0-0"});
    }
    SECTION("what is not there is an error") {
        request.remove = specs({"app=2", "none"});
        const auto failed = solve(request, source);
        REQUIRE_FALSE(failed);
        CHECK(failed.error().code == ErrorCode::package_not_found);
        CHECK(failed.error().message.find("none") != std::string::npos);
    }
    CHECK(source.asked().empty());
}

TEST_CASE("prune drops what nobody asked for", "[solve]") {
    MemorySource source({package("a", "1.0", "0", {"lib"}), package("lib", "1.0"), package("old", "1.0")});
    SolveRequest request;
    request.installed = {in_main(package("old", "1.0")), in_main(package("lib", "1.0"))};
    request.install = specs({"a"});
    request.prune = true;
    CHECK(changes(request, source) == Names{"-old-1.0-0", "+a-1.0-0"});
}
