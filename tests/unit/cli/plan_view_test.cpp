#include <catch2/catch.hpp>

#include "screen/package_json.hpp"
#include "screen/plan_view.hpp"

using namespace taipan;
using namespace taipan::cli;

namespace {

PackageRecord record(std::string name, std::string version, std::string build = "0", std::string channel = "cf",
                     std::int64_t number = 0) {
    PackageRecord r;
    r.name = std::move(name);
    r.version = std::move(version);
    r.build = std::move(build);
    r.build_number = number;
    r.channel_name = channel;
    r.channel = "https://conda.anaconda.org/" + channel;
    r.subdir = "linux-64";
    r.size = 2'000'000;
    return r;
}

PlannedPackage planned(PackageRecord r, CacheState cached = CacheState::missing) {
    PlannedPackage package;
    package.record = std::move(r);
    package.cached = cached;
    return package;
}

Plan example() {
    Plan plan;
    plan.prefix = "/envs/e";
    plan.update_specs = {"zeta", "alpha=1"};
    plan.unlink = {record("up", "1.0"),
                   record("down", "2.0"),
                   record("gone", "1"),
                   record("build", "1", "a"),
                   record("moved", "2", "0", "other"),
                   record("again", "1")};
    plan.link = {planned(record("new", "1")),    planned(record("up", "1.0.1"), CacheState::extracted),
                 planned(record("down", "1.9")), planned(record("build", "1", "b")),
                 planned(record("moved", "2")),  planned(record("again", "1"))};
    return plan;
}

} // namespace

TEST_CASE("a plan is sorted into sections", "[plan_view]") {
    const auto plan = example();
    const auto sections = sort_plan(plan);
    REQUIRE(sections.added.size() == 1);
    CHECK(sections.added[0]->record.name == "new");
    REQUIRE(sections.removed.size() == 1);
    CHECK(sections.removed[0]->name == "gone");
    std::map<std::string, ChangeKind> kinds;
    for (const auto& change : sections.changed) kinds.emplace(change.after->record.name, change.kind);
    CHECK(kinds == std::map<std::string, ChangeKind>{{"again", ChangeKind::reinstalled},
                                                     {"build", ChangeKind::revised},
                                                     {"down", ChangeKind::downgraded},
                                                     {"moved", ChangeKind::superseded},
                                                     {"up", ChangeKind::updated}});
}

TEST_CASE("packages that are only linked anew are not shown as changes", "[plan_view]") {
    Plan plan;
    plan.unlink = {record("lib", "1")};
    plan.link = {planned(record("lib", "1"))};
    plan.link[0].relink_only = true;
    const auto sections = sort_plan(plan);
    CHECK(sections.changed.empty());
    CHECK(sections.removed.empty());
    CHECK(plan_text(plan, 80).find("1 to link anew") != std::string::npos);
}

TEST_CASE("the plan's text has conda's headings, totals and fits the width", "[plan_view]") {
    const auto text = plan_text(example(), 60);
    for (const auto* part : {"## Package Plan ##", "environment location: /envs/e", "    - alpha=1\n    - zeta",
                             "The following NEW packages will be INSTALLED:", "The following packages will be REMOVED:",
                             "will be UPDATED:", "will be DOWNGRADED:", "will be REVISED:", "SUPERSEDED by a higher",
                             "1 to install, 1 to update", "Download: 10.0 MB (5 packages)", "cached"}) {
        INFO(part);
        CHECK(text.find(part) != std::string::npos);
    }
    CHECK(text.find("other -> cf") != std::string::npos);
}

TEST_CASE("the JSON document has conda's shape", "[package_json]") {
    const auto plan = example();
    const auto text = plan_json({&plan, "/envs/e", {}, true}, {});
    CHECK(text.find("\"dry_run\": true") != std::string::npos);
    CHECK(text.find("\"success\": true") != std::string::npos);
    CHECK(text.find("\"FETCH\"") < text.find("\"LINK\""));
    CHECK(text.find("\"LINK\"") < text.find("\"PREFIX\""));
    CHECK(text.find("\"PREFIX\"") < text.find("\"UNLINK\""));
    CHECK(text.find("\"dist_name\": \"new-1-0\"") != std::string::npos);
    const auto nothing = plan_json({nullptr, "/envs/e", "All requested packages already installed.", false}, {});
    CHECK(nothing.find("actions") == std::string::npos);
    CHECK(nothing.find("already installed") != std::string::npos);
}

TEST_CASE("short channel names are conda's", "[package_json]") {
    PackageRecord r;
    for (const auto& [url, name] : std::vector<std::pair<std::string, std::string>>{
             {"https://conda.anaconda.org/conda-forge", "conda-forge"},
             {"https://conda.anaconda.org/conda-forge/label/rc", "conda-forge/label/rc"},
             {"https://repo.anaconda.com/pkgs/main", "pkgs/main"},
             {"https://host:8080/conda/ch", "conda/ch"},
             {"file:///tmp/chan", "chan"}}) {
        r.channel = url;
        CHECK(short_channel_name(r, {}) == name);
    }
}
