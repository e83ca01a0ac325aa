#include <catch2/catch.hpp>

#include <string>
#include <vector>

#include "link/plan.hpp"

using namespace taipan;

namespace {

PathEntry file(const std::string& path, PathType type = PathType::hardlink) {
    PathEntry entry;
    entry.path = path;
    entry.type = type;
    return entry;
}

PackageRecord record(Noarch noarch = Noarch::none) {
    PackageRecord result;
    result.name = "foo";
    result.version = "1.0";
    result.build = "0";
    result.noarch = noarch;
    return result;
}

const PythonInfo python{"3.11", "lib/python3.11/site-packages", "bin/python3.11"};

Result<LinkPlan> plan_of(std::vector<PathEntry> paths, LinkOptions options = {"/p"}) {
    PackageLayout layout;
    layout.paths = std::move(paths);
    return make_link_plan(std::move(layout), record(), std::nullopt, options);
}

/// Each action as "kind source -> target".
std::vector<std::string> actions_of(const LinkPlan& plan) {
    static const char* const names[] = {"link", "copy", "soft", "symlink", "text", "binary", "entry"};
    std::vector<std::string> lines;
    for (const LinkGroup& group : plan.groups) {
        for (std::uint32_t i = group.first; i < group.last; ++i) {
            const LinkAction& action = plan.actions[i];
            const std::string& target = plan.paths[action.path].entry.path;
            CHECK(std::string(target.substr(0, group.target_directory.size())) == group.target_directory);
            const std::string name =
                action.source_name.empty() ? target.substr(target.rfind('/') + 1) : action.source_name;
            lines.push_back(std::string(names[static_cast<int>(action.kind)]) + " " + group.source_directory + "|" +
                            name + " -> " + target);
        }
    }
    return lines;
}

} // namespace

TEST_CASE("every path gets its kind of action, grouped by directory") {
    PathEntry text = file("bin/script");
    text.placeholder = "/ph";
    PathEntry binary = file("lib/libx.so");
    binary.placeholder = "/placeholder";
    binary.mode = FileMode::binary;
    PathEntry no_link = file("bin/private");
    no_link.no_link = true;
    const auto plan = plan_of({text, file("lib/a/b/deep"), binary, file("lib/liby.so", PathType::softlink), no_link,
                               file("top"), file("var/lib/empty", PathType::directory), file("lib/plain")});
    REQUIRE(plan);
    CHECK(actions_of(*plan) ==
          std::vector<std::string>{"link |top -> top", "text bin|script -> bin/script",
                                   "copy bin|private -> bin/private", "binary lib|libx.so -> lib/libx.so",
                                   "symlink lib|liby.so -> lib/liby.so", "link lib|plain -> lib/plain",
                                   "link lib/a/b|deep -> lib/a/b/deep"});
    CHECK(plan->directories ==
          std::vector<std::string>{"bin", "lib", "lib/a", "lib/a/b", "var", "var/lib", "var/lib/empty"});
    CHECK(plan->files() == std::vector<std::string>{"bin/script", "lib/a/b/deep", "lib/libx.so", "lib/liby.so",
                                                    "bin/private", "top", "lib/plain"});
    CHECK(plan->paths[6].entry.type == PathType::directory);
    CHECK(check_prefix_length(*plan));

    LinkOptions options{"/p"};
    options.link_type = LinkType::copy;
    CHECK(actions_of(*plan_of({file("a")}, options)) == std::vector<std::string>{"copy |a -> a"});
    options.link_type = LinkType::softlink;
    CHECK(actions_of(*plan_of({file("a")}, options)) == std::vector<std::string>{"soft |a -> a"});
}

TEST_CASE("noarch python is relocated, compiled and given scripts") {
    PackageLayout layout;
    layout.paths = {file("site-packages/foo/__init__.py"), file("site-packages/foo-1.0.dist-info/RECORD"),
                    file("python-scripts/foo-old"), file("python-scripts/foo"), file("etc/foo.cfg")};
    layout.entry_points = {{"foo", "foo.cli", "main"}, {"foo", "twice", "main"}};
    const auto plan = make_link_plan(layout, record(Noarch::python), python, {"/p"});
    REQUIRE(plan);
    // conda's order: files, then pyc, then entry points; the file that an entry point replaces is left out.
    CHECK(plan->files() == std::vector<std::string>{
                               "lib/python3.11/site-packages/foo/__init__.py",
                               "lib/python3.11/site-packages/foo-1.0.dist-info/RECORD", "bin/foo-old", "etc/foo.cfg",
                               "lib/python3.11/site-packages/foo/__pycache__/__init__.cpython-311.pyc", "bin/foo"});
    CHECK(actions_of(*plan) ==
          std::vector<std::string>{
              "entry |foo -> bin/foo", "link python-scripts|foo-old -> bin/foo-old", "link etc|foo.cfg -> etc/foo.cfg",
              "link site-packages/foo|__init__.py -> lib/python3.11/site-packages/foo/__init__.py",
              "link site-packages/foo-1.0.dist-info|RECORD -> lib/python3.11/site-packages/foo-1.0.dist-info/RECORD"});
    REQUIRE(plan->pyc.size() == 1);
    CHECK(plan->pyc[0].source == "lib/python3.11/site-packages/foo/__init__.py");
    CHECK(plan->pyc_directories == std::vector<std::string>{"lib/python3.11/site-packages/foo/__pycache__"});
    REQUIRE(plan->entry_points.size() == 1);
    CHECK(plan->entry_points[0].text.starts_with("#!/p/bin/python3.11\n"));
    CHECK(plan->paths.back().entry.size == plan->entry_points[0].text.size());
    CHECK(plan->placed_files().size() == 5);

    LinkOptions no_pyc{"/p"};
    no_pyc.compile_pyc = false;
    const auto bare = make_link_plan(layout, record(Noarch::python), python, no_pyc);
    CHECK(bare->pyc.empty());
    CHECK(bare->files().size() == 5);

    const auto no_python = make_link_plan(layout, record(Noarch::python), std::nullopt, {"/p"});
    REQUIRE_FALSE(no_python);
    CHECK(no_python.error().code == ErrorCode::invalid_argument);
    // The layout decides when the record does not say.
    layout.noarch = Noarch::python;
    CHECK(make_link_plan(layout, record(), python, {"/p"})->files().size() == 6);
    // An abi3 package in a platform subdir is noarch python by its key, not by its subdir.
    PackageRecord abi3 = record(Noarch::python);
    abi3.subdir = "linux-64";
    CHECK(make_link_plan(layout, abi3, python, {"/p"})->files().size() == 6);
}

TEST_CASE("a package that contradicts itself or reaches for conda-meta is refused") {
    const auto refused = [](std::vector<PathEntry> paths) {
        const auto plan = plan_of(std::move(paths));
        REQUIRE_FALSE(plan);
        CHECK(plan.error().code == ErrorCode::corrupt_package);
        CHECK(plan.error().message.find("foo-1.0-0") != std::string::npos);
    };
    refused({file("a"), file("a/b")});
    refused({file("lib64", PathType::softlink), file("lib64/x/y")});
    refused({file("d", PathType::directory), file("d")});
    refused({file("conda-meta/history")});
    refused({file("conda-meta/foo-1.0-0.json")});
    refused({file("conda-meta")});
    CHECK(plan_of({file("conda-meta/pinned")}));
}

TEST_CASE("a symlink that is listed with a prefix is a symlink") {
    PathEntry link = file("l", PathType::softlink);
    link.placeholder = "/ph";
    link.mode = FileMode::binary;
    const auto plan = plan_of({link});
    REQUIRE(plan);
    CHECK(plan->actions.at(0).kind == PlaceKind::symlink);
    CHECK(plan->paths.at(0).entry.placeholder.empty());
}

TEST_CASE("a prefix that no binary can take is told before anything is linked") {
    PathEntry binary = file("lib/libx.so");
    binary.placeholder = "/0123456789";
    binary.mode = FileMode::binary;
    CHECK(check_prefix_length(*plan_of({binary}, {"/0123456789"})));
    const auto too_long = check_prefix_length(*plan_of({binary}, {"/01234567890"}));
    REQUIRE_FALSE(too_long);
    CHECK(too_long.error().code == ErrorCode::prefix_too_long);
    CHECK(too_long.error().message.find("lib/libx.so") != std::string::npos);
    binary.mode = FileMode::text;
    CHECK(check_prefix_length(*plan_of({binary}, {"/01234567890"})));
}
