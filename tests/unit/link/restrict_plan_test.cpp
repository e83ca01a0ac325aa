#include <catch2/catch.hpp>

#include "link/plan.hpp"
#include "link/restrict_plan.hpp"

using namespace taipan;

namespace {

PathEntry file(const std::string& path) {
    PathEntry entry;
    entry.path = path;
    return entry;
}

LinkPlan whole_plan() {
    PackageLayout layout;
    layout.noarch = Noarch::python;
    layout.paths = {file("site-packages/a/one.py"), file("site-packages/a/two.py"), file("etc/x")};
    layout.paths.push_back(file("var/empty"));
    layout.paths.back().type = PathType::directory;
    layout.entry_points = {{"run", "a.one", "main"}, {"walk", "a.two", "main"}};
    PackageRecord record;
    record.name = "a";
    record.version = "1";
    record.build = "0";
    record.noarch = Noarch::python;
    PackageRecord python;
    python.name = "python";
    python.version = "3.11.4";
    const auto info = python_info(python);
    REQUIRE(info);
    LinkOptions options;
    options.prefix = "/e";
    auto plan = make_link_plan(std::move(layout), record, *info, options);
    REQUIRE(plan);
    return *std::move(plan);
}

} // namespace

TEST_CASE("a plan for single files makes these, their bytecode and nothing else") {
    const LinkPlan plan = whole_plan();
    const std::string modules = "lib/python3.11/site-packages/a/";
    const LinkPlan part = restrict_plan(plan, {modules + "two.py", "bin/walk", "not/there"});
    CHECK(part.files() ==
          std::vector<std::string>{modules + "two.py", modules + "__pycache__/two.cpython-311.pyc", "bin/walk"});
    CHECK(part.placed_files().size() == 2);
    REQUIRE(part.pyc.size() == 1);
    CHECK(part.pyc[0].source == modules + "two.py");
    CHECK(part.pyc_directories == std::vector<std::string>{modules + "__pycache__"});
    REQUIRE(part.entry_points.size() == 1);
    CHECK(part.entry_points[0].entry_point.command == "walk");
    CHECK(part.directories == std::vector<std::string>{"bin", "lib", "lib/python3.11", "lib/python3.11/site-packages",
                                                       "lib/python3.11/site-packages/a"});
    for (const LinkGroup& group : part.groups) CHECK(group.last > group.first);
}

TEST_CASE("bytecode is made again with its source, directories are made when they are asked for") {
    const LinkPlan plan = whole_plan();
    const LinkPlan bytecode = restrict_plan(plan, {"lib/python3.11/site-packages/a/__pycache__/one.cpython-311.pyc"});
    CHECK(bytecode.actions.empty());
    CHECK(bytecode.pyc.size() == 1);
    CHECK(restrict_plan(plan, {"var/empty"}).directories == std::vector<std::string>{"var", "var/empty"});
    CHECK(restrict_plan(plan, {}).paths.empty());
}
