#include <catch2/catch.hpp>

#include "solve/explain.hpp"
#include "solve/memory_source.hpp"

using namespace taipan;
using namespace taipan::test;
using Names = std::vector<std::string>;

namespace {

Error failure(std::initializer_list<std::string_view> texts, CandidateSource& source) {
    SolveRequest request;
    request.install = specs(texts);
    auto solution = solve(request, source);
    REQUIRE_FALSE(solution);
    return solution.error();
}

} // namespace

TEST_CASE("names and versions that no channel has", "[solve]") {
    MemorySource source({package("numpy", "1.0"), package("numpy", "1.26.4"), package("scikit-learn", "1.4")});
    const auto error = failure({"nunpy", "scikit_learn", "numpy=2", "quite-other"}, source);
    CHECK(error.code == ErrorCode::package_not_found);
    CHECK(error.message == "The following packages are not available from current channels:\n"
                           "\n  - nunpy (did you mean numpy?)"
                           "\n  - scikit_learn (did you mean scikit-learn?)"
                           "\n  - numpy=2 (there is 1.0, 1.26.4)"
                           "\n  - quite-other"
                           "\n\nCurrent channels:\n\n  - main");
}

TEST_CASE("builds that no channel has", "[solve]") {
    MemorySource source({package("numpy", "1.0", "py310_0"), package("numpy", "1.26", "py311_0"),
                         package("numpy", "1.26", "py312_0"), package("user", "1.0", "0", {"numpy 1.0 py39_0"})});
    CHECK(failure({"numpy=1.26=py310_0"}, source).message.find("(there is 1.26 py311_0, 1.26 py312_0)") !=
          std::string::npos);
    CHECK(failure({"numpy=*=py39_0"}, source).message.find("(there is 1.26 py311_0, 1.26 py312_0, 1.0 py310_0)") !=
          std::string::npos);
    CHECK(failure({"numpy=2=py310_0"}, source).message.find("(there is 1.0, 1.26)") != std::string::npos);
    CHECK(failure({"user"}, source)
              .message.find("needs numpy 1.0 py39_0: no such version or build; there is 1.0 py310_0") !=
          std::string::npos);
}

TEST_CASE("a name that only packages of no use have", "[solve]") {
    MemorySource source({package("numpy", "1..0")});
    const auto error = failure({"numpy"}, source);
    CHECK(error.message.find("did you mean") == std::string::npos);
}

TEST_CASE("two requests that need different versions of one package", "[solve]") {
    MemorySource source({
        package("a", "1.0", "0", {"lib >=2"}),
        package("a", "1.1", "0", {"lib >=2"}),
        package("b", "1.0", "0", {"lib <2"}),
        package("lib", "1.0"),
        package("lib", "2.0"),
        package("lib", "2.1"),
    });
    const auto error = failure({"a", "b"}, source);
    CHECK(error.code == ErrorCode::unsatisfiable);
    CHECK(error.message == "The request cannot be fulfilled: no lib fits both"
                           "\n  - lib >=2 (needed by a 1.0, 1.1)"
                           "\n  - lib <2 (needed by b 1.0)"
                           "\n├─ as requested: a"
                           "\n│  └─ a 1.0, 1.1"
                           "\n│     └─ needs lib >=2"
                           "\n│        └─ lib 2.0, 2.1: excluded by lib <2 (needed by b 1.0)"
                           "\n└─ as requested: b"
                           "\n   └─ b 1.0"
                           "\n      └─ needs lib <2"
                           "\n         └─ lib 1.0: excluded by lib >=2 (needed by a 1.0, 1.1)");
    CHECK(error.details.find(R"("by": "a 1.0, 1.1")") != std::string::npos);
    CHECK(error.details.find(R"("kind": "request")") != std::string::npos);
}

TEST_CASE("builds that fail for the same kind of reason are told together", "[solve]") {
    MemorySource source({
        package("python", "2.7.18"),
        package("python", "3.5.9"),
        package("python", "3.6.9"),
        package("python", "3.7.0"),
        package("a", "1.0", "py27_0", {"python >=2.7,<2.8"}),
        package("a", "1.0", "py35_0", {"python >=3.5,<3.6"}),
        package("a", "1.0", "py36_0", {"python >=3.6,<3.7"}),
    });
    const auto error = failure({"a", "python=3.7"}, source);
    CHECK(error.message ==
          "The request cannot be fulfilled: no python fits both"
          "\n  - python=3.7 (requested)"
          "\n  - python >=3.6,<3.7 | >=3.5,<3.6 | >=2.7,<2.8 (needed by a 1.0)"
          "\n├─ as requested: a"
          "\n│  └─ a 1.0"
          "\n│     └─ needs python >=3.6,<3.7 | >=3.5,<3.6 | >=2.7,<2.8"
          "\n│        └─ python 2.7.18, 3.5.9, 3.6.9: excluded by python=3.7 (requested)"
          "\n└─ as requested: python=3.7"
          "\n   └─ python 3.7.0: excluded by python >=3.6,<3.7 | >=3.5,<3.6 | >=2.7,<2.8 (needed by a 1.0)");
}

TEST_CASE("what the system lacks is said in words", "[solve]") {
    MemorySource source({package("gpu", "1.0", "0", {"__cuda >=12"}), package("new", "1.0", "0", {"__glibc >=2.99"})});
    SolveRequest request;
    request.virtual_packages = {virtual_package("__glibc", "2.36")};
    request.install = specs({"gpu"});
    auto solution = solve(request, source);
    REQUIRE_FALSE(solution);
    CHECK(solution.error().message.find("gpu 1.0 needs __cuda >=12 (the CUDA version of the NVIDIA driver), which this "
                                        "system does not have; CONDA_OVERRIDE_CUDA states") != std::string::npos);
    request.install = specs({"new"});
    solution = solve(request, source);
    REQUIRE_FALSE(solution);
    CHECK(solution.error().message.find("new 1.0 needs __glibc >=2.99 (the C library of the system), and this system "
                                        "has 2.36") != std::string::npos);
}

TEST_CASE("problems in libsolv's words", "[solve]") {
    MemorySource source({package("gpu", "1.0", "0", {"__cuda >=12"}), package("user", "1.0", "0", {"gpu"}),
                         package("lost", "1.0", "0", {"absent >=2"}), package("old", "1.0", "0", {"lib <2"}),
                         package("new", "1.0", "0", {"lib >=2"}), package("strict", "1.0", "0", {}, {"lib <2"}),
                         package("lib", "1.0"), package("lib", "2.0")});
    const auto problems = [&](std::initializer_list<std::string_view> wanted) {
        const auto details = failure(wanted, source).details;
        return details.substr(details.find("\"solver_problems\""));
    };
    const auto tells = [](const std::string& text, std::string_view words) {
        INFO(text);
        return text.find(words) != std::string::npos;
    };
    CHECK(tells(problems({"gpu"}), "\"nothing provides __cuda >=12 needed by gpu-1.0-0\""));
    CHECK(tells(problems({"user"}), "\"nothing provides __cuda >=12 needed by gpu-1.0-0\""));
    CHECK(tells(problems({"lost"}), "\"nothing provides absent >=2 needed by lost-1.0-0\""));
    CHECK(tells(problems({"absent"}), "\"nothing provides requested absent\""));
    CHECK(tells(problems({"old", "new"}), "\"cannot install both lib-"));
    CHECK(tells(problems({"strict", "lib=2"}), "conflicting with lib-2.0-0"));
}

TEST_CASE("pins are named as such", "[solve]") {
    MemorySource source({package("a", "1.0", "0", {"lib >=2"}), package("lib", "1.0"), package("lib", "2.0")});
    SolveRequest request;
    request.install = specs({"a"});
    request.pins = specs({"lib <2"});
    const auto solution = solve(request, source);
    REQUIRE_FALSE(solution);
    CHECK(solution.error().message.find("needs lib >=2: lib 2.0 is excluded by the pin lib[version='<2'] "
                                        "(conda-meta/pinned") != std::string::npos);
}

TEST_CASE("a dependency that does not exist", "[solve]") {
    MemorySource source({
        package("a", "1.0", "0", {"b"}),
        package("b", "1.0", "0", {"ghost >=3"}),
        package("b", "2.0", "0", {"lib >=9"}),
        package("lib", "1.0"),
    });
    const auto error = failure({"a"}, source);
    CHECK(error.code == ErrorCode::unsatisfiable);
    CHECK(error.message.find("needs ghost >=3: no channel that was searched has a package of that name") !=
          std::string::npos);
    CHECK(error.message.find("needs lib >=9: no such version or build; there is 1.0") != std::string::npos);
}

TEST_CASE("a constraint that excludes", "[solve]") {
    MemorySource source({package("a", "1.0", "0", {}, {"b >=2"}), package("b", "1.0")});
    const auto error = failure({"a", "b"}, source);
    CHECK(error.message == "The request cannot be fulfilled: no b fits both"
                           "\n  - b (requested)"
                           "\n  - b >=2 (a constraint of a 1.0)"
                           "\n├─ as requested: a"
                           "\n│  └─ a 1.0"
                           "\n│     └─ goes together only with b >=2, not with b 1.0"
                           "\n└─ as requested: b"
                           "\n   └─ b 1.0: excluded by b >=2 (a constraint of a 1.0)");
    CHECK(error.details.find(R"("constraint": true)") != std::string::npos);
}

TEST_CASE("what would fit but is pinned away is named", "[solve]") {
    MemorySource source({package("a", "1.0", "0", {}, {"b <2"}), package("b", "1.0"), package("b", "2.0")});
    SolveRequest request;
    request.install = specs({"a", "b"});
    request.pins = specs({"b 2.*"});
    const auto solution = solve(request, source);
    REQUIRE_FALSE(solution);
    CHECK(solution.error().message.find("no b that may be chosen fits both"
                                        "\n  - b (requested)"
                                        "\n  - b <2 (a constraint of a 1.0)"
                                        "\n  (b 1.0 is excluded by the pin b=2") != std::string::npos);
}

TEST_CASE("two requests of one name that exclude each other", "[solve]") {
    MemorySource source({package("python", "3.11.2"), package("python", "3.12.1")});
    CHECK(failure({"python=3.11", "python=3.12"}, source).message ==
          "The request cannot be fulfilled: no python fits both"
          "\n  - python=3.11 (requested)"
          "\n  - python=3.12 (requested)"
          "\n├─ as requested: python=3.11"
          "\n│  └─ python 3.11.2: excluded by python=3.12 (requested)"
          "\n└─ as requested: python=3.12"
          "\n   └─ python 3.12.1: excluded by python=3.11 (requested)");
}

TEST_CASE("what exists for other platforms only", "[solve]") {
    MemorySource source(
        {package("app", "1.0", "0", {"osxlib >=2"}), package("lib", "1.0"), package("old", "1.0", "0", {"lib >=2"})});
    source.add_elsewhere("osxlib", {"osx-64", "osx-arm64"});
    source.add_elsewhere("lib", {"win-64"});
    const auto error = failure({"osxlib", "lib=2"}, source);
    CHECK(error.message.find("\n  - osxlib (exists for osx-64, osx-arm64 only)") != std::string::npos);
    CHECK(error.message.find("\n  - lib=2 (there is 1.0; it exists for win-64)") != std::string::npos);
    CHECK(error.details.find(R"("osx-arm64")") != std::string::npos);
    CHECK(failure({"app"}, source).message.find("needs osxlib >=2: it exists for osx-64, osx-arm64 only") !=
          std::string::npos);
    CHECK(failure({"old"}, source)
              .message.find("needs lib >=2: no such version or build; there is 1.0 (it exists for win-64)") !=
          std::string::npos);
}

TEST_CASE("strict priority is named", "[solve]") {
    MemorySource source;
    source.add_channel("high", {package("a", "1.0")});
    source.add_channel("low", {package("a", "2.0"), package("b", "1.0", "0", {"a >=2"})});
    SolveRequest request;
    request.install = specs({"b"});
    request.channel_priority = ChannelPriority::strict;
    const auto solution = solve(request, source);
    REQUIRE_FALSE(solution);
    CHECK(solution.error().message.find("a 2.0 of low is hidden by high, a channel above it") != std::string::npos);
}

TEST_CASE("similar names", "[solve]") {
    const Names names = {"numba", "numpy", "numpydoc", "pandas", "pip", "pyyaml", "scikit-learn", "yaml"};
    using solve_detail::similar_names;
    CHECK(similar_names("nmupy", names) == Names{"numpy"});
    CHECK(similar_names("pandsa", names) == Names{"pandas"});
    CHECK(similar_names("py-yaml", names) == Names{"pyyaml"});
    CHECK(similar_names("pipp", names) == Names{"pip"});
    CHECK(similar_names("somethingelse", names).empty());
}
