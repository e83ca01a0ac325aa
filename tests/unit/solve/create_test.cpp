#include <catch2/catch.hpp>

#include "solve/memory_source.hpp"

using namespace taipan;
using namespace taipan::test;
using Names = std::vector<std::string>;

namespace {

SolveRequest create(std::initializer_list<std::string_view> texts) {
    SolveRequest request;
    request.install = specs(texts);
    return request;
}

Names solved(const SolveRequest& request, CandidateSource& source) {
    const auto solution = solve(request, source);
    if (!solution) return {solution.error().describe()};
    return sorted_names(solution->link);
}

} // namespace

TEST_CASE("create takes the newest packages that go together", "[solve]") {
    MemorySource source({
        package("app", "1.0", "0", {"lib >=1"}),
        package("app", "2.0", "0", {"lib >=2,<3"}),
        package("lib", "1.5"),
        package("lib", "2.5"),
        package("lib", "3.0"),
        package("unrelated", "1.0"),
    });
    CHECK(solved(create({"app"}), source) == Names{"app-2.0-0", "lib-2.5-0"});
    CHECK(solved(create({"app", "lib=1.5"}), source) == Names{"app-1.0-0", "lib-1.5-0"});
    CHECK(solved(create({"lib"}), source) == Names{"lib-3.0-0"});
}

TEST_CASE("only reachable names are asked for, each once", "[solve]") {
    MemorySource source({
        package("app", "2.0", "0", {"lib"}),
        package("lib", "1.0", "0", {"deep"}, {"never >1"}),
        package("deep", "1.0"),
        package("never", "1.0", "0", {"at_all"}),
        package("at_all", "1.0"),
    });
    auto request = create({"app"});
    request.add_pip_to_python = false;
    REQUIRE(solved(request, source).size() == 3);
    CHECK(source.asked() == Names{"app", "lib", "deep"});
}

TEST_CASE("versions are ordered and matched as conda does, not as libsolv does", "[solve]") {
    // conda-spec 6.6, each line a corner where libsolv's own conda mode answers differently.
    MemorySource source({
        package("underscore", "1.1_"),
        package("underscore", "1.1"), //
        package("openssl", "1.0.1_"),
        package("openssl", "1.0.1a"), //
        package("local", "1.0.1+local"),
        package("local", "1.0.1"),            //
        package("only_local", "1.0.1+local"), //
        package("greater", "1.2.5"),          //
        package("prefix", "1.0.1abc"),        //
        package("bracket", "1.0", "py27_0"),
        package("bracket", "1.0", "py36_1"),
    });
    CHECK(solved(create({"underscore"}), source) == Names{"underscore-1.1-0"});
    CHECK(solved(create({"openssl"}), source) == Names{"openssl-1.0.1a-0"});
    CHECK(solved(create({"local"}), source) == Names{"local-1.0.1-0"});
    CHECK(solved(create({"greater >1.2.*"}), source) == Names{"greater-1.2.5-0"});
    CHECK(solved(create({"prefix 1.0.1a*"}), source) == Names{"prefix-1.0.1abc-0"});
    CHECK(solved(create({"only_local 1.0.1+loc*"}), source) == Names{"only_local-1.0.1+local-0"});
    CHECK(solved(create({"bracket[build=py27*]"}), source) == Names{"bracket-1.0-py27_0"});
    const auto no_local = solve(create({"only_local >=1.0.1"}), source);
    REQUIRE_FALSE(no_local);
}

TEST_CASE("a package of one name: features, version, build number, timestamp", "[solve]") {
    auto tracked = package("a", "2.0", "featured_0");
    tracked.track_features = "mkl";
    MemorySource features({tracked, package("a", "1.0")});
    CHECK(solved(create({"a"}), features) == Names{"a-1.0-0"});

    MemorySource builds({package("b", "1.0", "h1_2"), package("b", "1.0", "h1_10"), package("b", "1.0", "h1_9")});
    CHECK(solved(create({"b"}), builds) == Names{"b-1.0-h1_10"});

    auto older = package("c", "1.0", "zzz_0");
    auto newer = package("c", "1.0", "aaa_0");
    older.timestamp = 1'500'000'000'000;
    newer.timestamp = 1'600'000'000'000;
    MemorySource times({older, newer});
    CHECK(solved(create({"c"}), times) == Names{"c-1.0-aaa_0"});
}

TEST_CASE("among variants the one whose dependencies can be newer wins", "[solve]") {
    auto for_old = package("x", "1.0", "old_0", {"dep >=1,<2"});
    auto for_new = package("x", "1.0", "new_0", {"dep >=2,<3"});
    for_old.timestamp = 1'700'000'000'000; // would win by time
    for_new.timestamp = 1'600'000'000'000;
    MemorySource source({for_old, for_new, package("dep", "1.9"), package("dep", "2.9")});
    CHECK(solved(create({"x"}), source) == Names{"dep-2.9-0", "x-1.0-new_0"});
    // A name-only dependency and equal constraints say nothing; then time decides.
    auto one = package("y", "1.0", "one_0", {"dep"});
    auto two = package("y", "1.0", "two_0", {"dep >=2"});
    one.timestamp = 1'700'000'000'000;
    two.timestamp = 1'600'000'000'000;
    MemorySource indifferent({one, two, package("dep", "1.9"), package("dep", "2.9")});
    CHECK(solved(create({"y"}), indifferent) == Names{"dep-2.9-0", "y-1.0-one_0"});
}

TEST_CASE("a choice between variants waits for what is no choice", "[solve]") {
    // So the newest zlib comes before the newest mod, as with the libsolv of conda and mamba.
    MemorySource source({package("app", "1.0", "0", {"mod", "zlib"}), package("mod", "1.0", "c_0", {"zlib 3"}),
                         package("mod", "2.0", "a_0", {"zlib <3"}), package("mod", "2.0", "b_0", {"zlib <3", "other"}),
                         package("zlib", "2"), package("zlib", "3"), package("other", "1.0")});
    CHECK(solved(create({"app"}), source) == Names{"app-1.0-0", "mod-1.0-c_0", "zlib-3-0"});
}

TEST_CASE("constrains excludes without requiring", "[solve]") {
    MemorySource source({
        package("app", "1.0", "0", {}, {"tool >=2"}),
        package("other", "1.0", "0", {"tool"}),
        package("tool", "1.0"),
        package("tool", "2.0", "0", {"missing"}),
    });
    CHECK(solved(create({"app"}), source) == Names{"app-1.0-0"});
    CHECK(solved(create({"other"}), source) == Names{"other-1.0-0", "tool-1.0-0"});
    CHECK_FALSE(solve(create({"app", "other"}), source));
}

TEST_CASE("virtual packages decide, and never show up", "[solve]") {
    MemorySource source({
        package("gpu", "2.0", "0", {"__cuda >=12"}),
        package("gpu", "1.0", "0", {"__glibc >=2.17,<3.0.a0"}),
        package("strict", "1.0", "0", {}, {"__glibc >=2.40"}),
        package("relaxed", "1.0", "0", {}, {"__cuda >=12"}),
    });
    auto request = create({"gpu"});
    request.virtual_packages = {virtual_package("__glibc", "2.36")};
    CHECK(solved(request, source) == Names{"gpu-1.0-0"});
    request.virtual_packages.push_back(virtual_package("__cuda", "12.4"));
    CHECK(solved(request, source) == Names{"gpu-2.0-0"});

    auto asked = create({"gpu", "__glibc >=2.30"});
    asked.virtual_packages = request.virtual_packages;
    CHECK(solved(asked, source) == Names{"gpu-2.0-0"});

    auto strict = create({"strict"});
    strict.virtual_packages = {virtual_package("__glibc", "2.36")};
    const auto failed = solve(strict, source);
    REQUIRE_FALSE(failed);
    CHECK(failed.error().code == ErrorCode::unsatisfiable);
    CHECK(failed.error().message.find("__glibc >=2.40") != std::string::npos);
    CHECK(failed.error().message.find("2.36") != std::string::npos);
    auto relaxed = create({"relaxed"});
    CHECK(solved(relaxed, source) == Names{"relaxed-1.0-0"});
    relaxed.virtual_packages = {virtual_package("__cuda", "11.8")};
    CHECK_FALSE(solve(relaxed, source));
}

TEST_CASE("a virtual package that the system lacks can come from a channel", "[solve]") {
    MemorySource source({
        package("__glibc", "2.28"),
        package("__cuda", "11.4"),
        package("old", "1.0", "0", {"__glibc >=2.17"}),
        package("new", "1.0", "0", {"__glibc >=2.30"}),
        package("gpu", "1.0", "0", {}, {"__cuda >=12"}),
    });
    CHECK(solved(create({"old"}), source) == Names{"__glibc-2.28-0", "old-1.0-0"});
    CHECK_FALSE(solve(create({"new"}), source));
    CHECK(solved(create({"gpu"}), source) == Names{"gpu-1.0-0"});
    CHECK_FALSE(solve(create({"gpu", "__cuda"}), source));
    auto request = create({"new"});
    request.virtual_packages = {virtual_package("__glibc", "2.36")};
    CHECK(solved(request, source) == Names{"new-1.0-0"});
    auto lesser = create({"old"});
    lesser.virtual_packages = {virtual_package("__glibc", "2.12")};
    CHECK_FALSE(solve(lesser, source));
}

TEST_CASE("channel priority", "[solve]") {
    MemorySource source;
    source.add_channel("high", {package("a", "1.0"), package("b", "1.0", "0", {"a >=2"})});
    source.add_channel("low", {package("a", "2.0"), package("c", "1.0", "0", {"a"}), package("only", "1.0")});
    auto request = create({"a"});
    const auto channel_of_a = [&](ChannelPriority priority, std::initializer_list<std::string_view> texts) {
        auto asked = create(texts);
        asked.channel_priority = priority;
        const auto solution = solve(asked, source);
        if (!solution) return std::string("none");
        for (const auto& record : solution->link)
            if (record.name == "a") return record.channel_name;
        return std::string("absent");
    };
    CHECK(channel_of_a(ChannelPriority::flexible, {"a"}) == "high");
    CHECK(channel_of_a(ChannelPriority::flexible, {"a>=2"}) == "low");
    CHECK(channel_of_a(ChannelPriority::flexible, {"b"}) == "low");
    CHECK(channel_of_a(ChannelPriority::flexible, {"low::a"}) == "low");
    CHECK(channel_of_a(ChannelPriority::strict, {"c"}) == "high");
    CHECK(channel_of_a(ChannelPriority::strict, {"b"}) == "none");
    CHECK(channel_of_a(ChannelPriority::strict, {"low::a"}) == "none");
    CHECK(channel_of_a(ChannelPriority::strict, {"only"}) == "absent");
    CHECK(channel_of_a(ChannelPriority::disabled, {"a"}) == "low");
}

TEST_CASE("with priority disabled the channel breaks ties before the build number", "[solve]") {
    MemorySource source;
    source.add_channel("high", {package("a", "1.0", "h_0")});
    source.add_channel("low", {package("a", "1.0", "h_5")});
    auto request = create({"a"});
    request.channel_priority = ChannelPriority::disabled;
    CHECK(solved(request, source) == Names{"a-1.0-h_0"});
}

TEST_CASE("pins constrain and do not install", "[solve]") {
    MemorySource source(
        {package("a", "1.0"), package("a", "2.0"), package("b", "1.0", "0", {"a"}), package("c", "1.0")});
    auto request = create({"b"});
    request.pins = specs({"a 1.*", "c 1.*"});
    CHECK(solved(request, source) == Names{"a-1.0-0", "b-1.0-0"});
    auto contradiction = create({"a=2"});
    contradiction.pins = specs({"a 1.*"});
    const auto failed = solve(contradiction, source);
    REQUIRE_FALSE(failed);
    CHECK(failed.error().code == ErrorCode::unsatisfiable);
    CHECK(failed.error().message.find("pin a=1") != std::string::npos);
}

TEST_CASE("python brings pip where its own subdir has one, from wherever the best is", "[solve]") {
    MemorySource source;
    source.add_channel("main", {package("python", "3.11.4", "h_0"), package("python", "3.12.1", "h_0"),
                                noarch_python(package("pip", "24.0", "py_0", {"python"})),
                                package("pip", "9.0", "py27_0", {"python <3"})});
    auto request = create({"python=3.11"});
    CHECK(solved(request, source) == Names{"pip-24.0-py_0", "python-3.11.4-h_0"});
    const auto solution = solve(request, source);
    REQUIRE(solution);
    CHECK(names_of(solution->link) == Names{"python-3.11.4-h_0", "pip-24.0-py_0"});
    request.add_pip_to_python = false;
    CHECK(solved(request, source) == Names{"python-3.11.4-h_0"});
    MemorySource without({package("python", "3.11.4", "h_0")});
    CHECK(solved(create({"python"}), without) == Names{"python-3.11.4-h_0"});
}

TEST_CASE("python brings pip from another subdir when it was asked for by name", "[solve]") {
    MemorySource source({package("python", "3.11.4", "h_0"), package("app", "1.0", "0", {"python"}),
                         noarch_python(package("pip", "24.0", "py_0", {"python"}))});
    CHECK(solved(create({"python=3.11"}), source) == Names{"pip-24.0-py_0", "python-3.11.4-h_0"});
    // libmamba looks at one subdir of one channel at a time, and mamba alone asks for pip as well.
    CHECK(solved(create({"app"}), source) == Names{"app-1.0-0", "python-3.11.4-h_0"});
    auto as_conda = create({"python=3.11"});
    as_conda.python_brings_pip = false;
    CHECK(solved(as_conda, source) == Names{"python-3.11.4-h_0"});
}

TEST_CASE("several specs for one name must all hold", "[solve]") {
    MemorySource source({package("a", "1.0"), package("a", "1.5"), package("a", "2.0")});
    CHECK(solved(create({"a>=1.2", "a<2"}), source) == Names{"a-1.5-0"});
    CHECK_FALSE(solve(create({"a=1.0", "a=2.0"}), source));
}

TEST_CASE("a record with an unreadable dependency is not installable", "[solve]") {
    MemorySource source({package("a", "2.0", "0", {"b >=>1"}), package("a", "1.0")});
    CHECK(solved(create({"a"}), source) == Names{"a-1.0-0"});
    const auto failed = solve(create({"a=2"}), source);
    REQUIRE_FALSE(failed);
    CHECK(failed.error().message.find("cannot be read") != std::string::npos);
}

TEST_CASE("no_deps and only_deps", "[solve]") {
    MemorySource source(
        {package("app", "1.0", "0", {"lib >=1", "tool"}), package("lib", "1.0"), package("tool", "1.0")});
    auto request = create({"app"});
    request.no_deps = true;
    CHECK(solved(request, source) == Names{"app-1.0-0"});
    request.no_deps = false;
    request.only_deps = true;
    const auto solution = solve(request, source);
    REQUIRE(solution);
    CHECK(sorted_names(solution->link) == Names{"lib-1.0-0", "tool-1.0-0"});
    REQUIRE(solution->recorded_specs.size() == 2);
    CHECK(solution->recorded_specs[0].to_string() == "lib[version='>=1']");
    CHECK(solution->recorded_specs[1].to_string() == "tool");
}

TEST_CASE("only_deps leaves pip where python brings it", "[solve]") {
    MemorySource source({package("app", "1.0"), package("python", "3.11.2"), package("pip", "24.0", "0", {"python"})});
    auto request = create({"app", "pip"});
    request.only_deps = true;
    CHECK(solved(request, source) == Names{"pip-24.0-0", "python-3.11.2-0"});
    request.add_pip_to_python = false;
    CHECK(solved(request, source) == Names{"python-3.11.2-0"});
}

TEST_CASE("the answer does not depend on the order of request or channel content", "[solve]") {
    std::vector<PackageRecord> records;
    for (int i = 0; i < 40; ++i) {
        const std::string name = "p" + std::to_string(i);
        for (int version = 1; version <= 3; ++version) {
            std::vector<std::string> depends;
            if (i + 7 < 40) depends.push_back("p" + std::to_string(i + 7) + " <=" + std::to_string(4 - version));
            if (i + 3 < 40) depends.push_back("p" + std::to_string(i + 3));
            records.push_back(package(name, std::to_string(version), "0", depends));
        }
    }
    MemorySource forward(records);
    std::reverse(records.begin(), records.end());
    MemorySource backward(records);
    const auto first = solve(create({"p0", "p1", "p2"}), forward);
    const auto second = solve(create({"p2", "p1", "p0"}), backward);
    REQUIRE(first);
    REQUIRE(second);
    CHECK(names_of(first->link) == names_of(second->link));
    CHECK(names_of(first->final_state) == names_of(first->link));
}

TEST_CASE("a name with very many builds", "[solve]") {
    constexpr int builds = 700;
    std::vector<PackageRecord> records;
    for (int i = 1; i <= builds; ++i)
        records.push_back(package("big", std::to_string(i), "0", {"lib " + std::to_string(i % 3)}));
    for (int i = 0; i < 3; ++i) records.push_back(package("lib", std::to_string(i)));
    records.push_back(package("low", "1", "0", {"big <=300"}));
    records.push_back(package("high", "1", "0", {"big >=400"}));
    MemorySource source(records);
    CHECK(solved(create({"big"}), source) == Names{"big-700-0", "lib-1-0"});
    CHECK(solved(create({"big", "lib=0"}), source) == Names{"big-699-0", "lib-0-0"});
    CHECK(solved(create({"low", "big"}), source) == Names{"big-300-0", "lib-0-0", "low-1-0"});
    const auto failed = solve(create({"low", "high"}), source);
    REQUIRE_FALSE(failed);
    CHECK(failed.error().message.starts_with("The request cannot be fulfilled: no big fits both\n"
                                             "  - big >=400 (needed by high 1)\n  - big <=300 (needed by low 1)\n"));
}
