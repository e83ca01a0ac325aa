#include <catch2/catch.hpp>

#include <atomic>
#include <string>
#include <vector>

#include "base/digest.hpp"
#include "link/installed_record.hpp"
#include "link/package_info.hpp"
#include "link/place_file.hpp"
#include "scratch.hpp"

using namespace taipan;
using namespace std::string_literals;

namespace {

const std::string placeholder = "/placeholder_placeholder_placeholder_placeholder_placeholder_placeholder";

PackageRecord record() {
    PackageRecord result;
    result.name = "foo";
    result.version = "1.0";
    result.build = "0";
    return result;
}

PathEntry file(const std::string& path, PathType type = PathType::hardlink) {
    PathEntry entry;
    entry.path = path;
    entry.type = type;
    return entry;
}

/// A package directory with one file of every kind, and a prefix.
struct Fixture {
    Fixture() {
        scratch.write("pkg/info/index.json", "{}");
        scratch.write("pkg/bin/tool", "tool", 0755);
        scratch.write("pkg/bin/script", "#!" + placeholder + "/bin/tool\n", 0755);
        scratch.write("pkg/lib/libx.so.1", "ELF" + placeholder + "/lib\0end"s);
        scratch.write("pkg/lib/unchanged", "no prefix at all", 0640);
        scratch.write("pkg/lib/private", "private");
        scratch.symlink("pkg/lib/libx.so", "libx.so.1");
        scratch.directory("prefix");
        for (const char* name : {"pkg/bin/tool", "pkg/bin/script", "pkg/lib/unchanged", "pkg/lib/private"}) {
            scratch.set_mtime(name, 1000000);
        }
        PathEntry script = file("bin/script");
        script.placeholder = placeholder;
        script.sha256 = sha256_hex("as shipped");
        PathEntry library = file("lib/libx.so.1");
        library.placeholder = placeholder;
        library.mode = FileMode::binary;
        PathEntry unchanged = library;
        unchanged.path = "lib/unchanged";
        PathEntry private_copy = file("lib/private");
        private_copy.no_link = true;
        PathEntry tool = file("bin/tool");
        tool.sha256 = sha256_hex("tool");
        layout.paths = {tool,
                        script,
                        library,
                        file("lib/libx.so", PathType::softlink),
                        unchanged,
                        private_copy,
                        file("var/empty", PathType::directory)};
        package_fd = scratch.open("pkg");
        prefix_fd = scratch.open("prefix");
        context.package_fd = package_fd.get();
        context.prefix_fd = prefix_fd.get();
        context.package_dir = scratch.at("pkg");
        context.prefix = scratch.at("prefix");
    }

    /// Both ways of naming files: by handles of their directories, or by paths from the two roots.
    /// 0: by handles, 1: by paths, 2: by paths from a directory above the package.
    void by_path(int way) {
        context.contained = way > 0;
        context.made = way > 0 ? &made : nullptr;
        if (way < 2) return;
        above = scratch.open(".");
        context.package_fd = above.get();
        context.package_path = "pkg";
    }

    LinkPlan plan(LinkType type = LinkType::hardlink) {
        LinkOptions options{scratch.at("prefix")};
        options.link_type = type;
        auto result = make_link_plan(layout, record(), std::nullopt, options);
        REQUIRE(result);
        return *std::move(result);
    }

    Scratch scratch;
    PackageLayout layout;
    UniqueFd package_fd, prefix_fd;
    UniqueFd above;
    MadeDirectories made;
    PlaceContext context;
};

} // namespace

TEST_CASE("a package is placed: links, copies, symlinks, rewritten files, directories") {
    Fixture f;
    f.by_path(GENERATE(0, 1, 2));
    const LinkPlan plan = f.plan();
    const auto placed = place_all(plan, f.context);
    REQUIRE(placed);
    CHECK(placed->hard_links == 1);
    CHECK(placed->copies == 1);
    CHECK(placed->rewritten == 3);
    CHECK(placed->symlinks == 1);

    CHECK(f.scratch.status("prefix/bin/tool").st_ino == f.scratch.status("pkg/bin/tool").st_ino);
    CHECK(f.scratch.read("prefix/bin/script") == "#!" + f.scratch.at("prefix") + "/bin/tool\n");
    CHECK((f.scratch.status("prefix/bin/script").st_mode & 0777) == 0755);
    CHECK(f.scratch.status("prefix/bin/script").st_mtime > 1000000);
    CHECK(f.scratch.read("pkg/bin/script") == "#!" + placeholder + "/bin/tool\n");
    const std::string library = f.scratch.read("prefix/lib/libx.so.1");
    CHECK(library.size() == f.scratch.read("pkg/lib/libx.so.1").size());
    CHECK(library.starts_with("ELF" + f.scratch.at("prefix") + "/lib\0\0"s));
    CHECK(f.scratch.link_text("prefix/lib/libx.so") == "libx.so.1");
    CHECK(f.scratch.read("prefix/lib/unchanged") == "no prefix at all");
    CHECK(f.scratch.status("prefix/lib/unchanged").st_mtime == 1000000);
    CHECK((f.scratch.status("prefix/lib/unchanged").st_mode & 0777) == 0640);
    CHECK(f.scratch.status("prefix/lib/private").st_ino != f.scratch.status("pkg/lib/private").st_ino);
    CHECK(f.scratch.status("prefix/lib/private").st_mtime == 1000000);
    CHECK(S_ISDIR(f.scratch.status("prefix/var/empty").st_mode));
    CHECK_FALSE(f.scratch.has("prefix/info"));

    LinkPlan finished = f.plan();
    const PrefixRecord installed = installed_record(record(), std::move(finished), *placed, {"t", "e", {"foo"}});
    REQUIRE(installed.paths.size() == 7);
    CHECK(installed.paths[0].sha256_in_prefix == sha256_hex("tool"));
    CHECK(installed.paths[1].sha256_in_prefix == sha256_hex(f.scratch.read("prefix/bin/script")));
    CHECK(installed.paths[1].entry.sha256 == sha256_hex("as shipped"));
    CHECK(installed.paths[2].sha256_in_prefix == sha256_hex(library));
    CHECK(installed.paths[3].sha256_in_prefix.empty());
    CHECK(installed.files.size() == 6);
    CHECK(installed.link_source == "e");
}

TEST_CASE("copying keeps mode and mtime and shares nothing with the cache") {
    Fixture f;
    f.by_path(GENERATE(0, 1, 2));
    const auto placed = place_all(f.plan(LinkType::copy), f.context);
    REQUIRE(placed);
    CHECK(placed->hard_links == 0);
    CHECK(placed->copies == 2);
    CHECK(f.scratch.status("prefix/bin/tool").st_ino != f.scratch.status("pkg/bin/tool").st_ino);
    CHECK((f.scratch.status("prefix/bin/tool").st_mode & 0777) == 0755);
    CHECK(f.scratch.status("prefix/bin/tool").st_mtime == 1000000);
    CHECK(f.scratch.read("prefix/bin/tool") == "tool");
}

TEST_CASE("a large copy is whole") {
    Scratch scratch;
    std::string content;
    for (int i = 0; content.size() < 3000000; ++i) content += std::to_string(i);
    scratch.write("pkg/big", content);
    scratch.directory("prefix");
    PackageLayout layout;
    layout.paths = {file("big"), file("empty")};
    scratch.write("pkg/empty", "");
    LinkOptions options{scratch.at("prefix")};
    options.link_type = LinkType::copy;
    const auto plan = make_link_plan(layout, record(), std::nullopt, options);
    const UniqueFd package = scratch.open("pkg");
    const UniqueFd prefix = scratch.open("prefix");
    REQUIRE(place_all(*plan, {package.get(), prefix.get(), scratch.at("pkg"), scratch.at("prefix")}));
    CHECK(scratch.read("prefix/big") == content);
    CHECK(scratch.read("prefix/empty").empty());
}

TEST_CASE("soft links lead into the cache, programs are copied") {
    Fixture f;
    f.by_path(GENERATE(0, 1, 2));
    f.layout.paths = {file("bin/tool"), file("lib/private")};
    REQUIRE(place_all(f.plan(LinkType::softlink), f.context));
    CHECK(f.scratch.link_text("prefix/lib/private") == f.scratch.at("pkg/lib/private"));
    CHECK(S_ISREG(f.scratch.status("prefix/bin/tool").st_mode));
}

TEST_CASE("what is in the way is replaced, never written through") {
    Fixture f;
    f.by_path(GENERATE(0, 1, 2));
    f.scratch.write("other", "precious");
    f.scratch.directory("prefix/bin");
    f.scratch.directory("prefix/lib/private/with/children");
    for (const char* name : {"prefix/bin/tool", "prefix/bin/script"}) {
        REQUIRE(::link(f.scratch.at("other").c_str(), f.scratch.at(name).c_str()) == 0);
    }
    f.scratch.symlink("prefix/lib/libx.so", "../../other");
    f.scratch.symlink("prefix/lib/libx.so.1", "../../other");

    const LinkPlan plan = f.plan();
    auto existing = find_existing_targets(plan, f.prefix_fd.get(), f.context.prefix);
    REQUIRE(existing);
    CHECK(*existing ==
          std::vector<std::string>{"bin/tool", "bin/script", "lib/libx.so.1", "lib/libx.so", "lib/private"});

    PlaceContext report = f.context;
    report.on_existing = OnExisting::report;
    const auto reported = place_all(plan, report);
    REQUIRE(reported);
    CHECK(reported->existing.size() == 5);
    CHECK(reported->rewritten == 1);
    CHECK(f.scratch.read("prefix/bin/tool") == "precious");

    PlaceContext fail = f.context;
    fail.on_existing = OnExisting::fail;
    const auto failed = place_all(plan, fail);
    REQUIRE_FALSE(failed);
    CHECK(failed.error().code == ErrorCode::clobber);

    REQUIRE(place_actions(plan, reported->existing, f.context));
    CHECK(f.scratch.read("prefix/bin/tool") == "tool");
    CHECK(f.scratch.read("prefix/lib/private") == "private");
    CHECK(f.scratch.link_text("prefix/lib/libx.so") == "libx.so.1");
    CHECK(f.scratch.read("other") == "precious");
}

TEST_CASE("symlinked directories are followed inside the prefix and refused outside") {
    Fixture f;
    f.layout.paths = {file("lib64/tool")};
    f.scratch.write("pkg/lib64/tool", "t");
    f.scratch.directory("prefix/lib");
    f.scratch.symlink("prefix/lib64", "lib");
    REQUIRE(place_all(f.plan(), f.context));
    CHECK(f.scratch.has("prefix/lib/tool"));

    f.layout.paths = {file("out/tool"), file("out/sub/tool")};
    f.scratch.write("pkg/out/tool", "t");
    f.scratch.write("pkg/out/sub/tool", "t");
    f.scratch.directory("outside");
    f.scratch.symlink("prefix/out", "../outside");
    CHECK_FALSE(place_all(f.plan(), f.context));
    CHECK_FALSE(f.scratch.has("outside/sub"));
    CHECK_FALSE(f.scratch.has("outside/tool"));
}

TEST_CASE("only directories that were made here are taken for real ones") {
    Fixture f;
    f.by_path(1);
    f.scratch.write("pkg/out/sub/tool", "t");
    f.scratch.write("pkg/here/sub/tool", "t");
    f.layout.paths = {file("out/sub/tool"), file("here/sub/tool")};
    f.scratch.directory("outside/sub");
    f.scratch.symlink("prefix/out", "../outside");
    CHECK_FALSE(place_all(f.plan(), f.context));
    CHECK_FALSE(f.scratch.has("outside/sub/tool"));
    CHECK_FALSE(f.made.contains("out"));
    CHECK_FALSE(f.made.contains("out/sub"));
    CHECK(f.made.contains("here/sub"));

    // A link that stays inside is followed, but what lies below it is looked at each time.
    REQUIRE(::unlink(f.scratch.at("prefix/out").c_str()) == 0);
    f.scratch.symlink("prefix/out", "here");
    f.layout.paths = {file("out/sub/tool"), file("out/new/tool")};
    f.scratch.write("pkg/out/new/tool", "t");
    f.context.on_existing = OnExisting::report;
    const auto placed = place_all(f.plan(), f.context);
    REQUIRE(placed);
    CHECK(f.scratch.has("prefix/here/sub/tool"));
    CHECK(f.scratch.has("prefix/here/new/tool"));
    CHECK_FALSE(f.made.contains("out/new"));
}

TEST_CASE("a package cannot reach files outside itself through its own symlinks") {
    Fixture f;
    f.scratch.write("secret/key", "secret");
    f.scratch.symlink("pkg/leak", "../secret");
    f.scratch.symlink("pkg/key", "../secret/key");
    f.layout.paths = {file("leak/key")};
    const auto through_directory = place_all(f.plan(), f.context);
    REQUIRE_FALSE(through_directory);
    CHECK(through_directory.error().code == ErrorCode::corrupt_package);
    PathEntry copied = file("key");
    copied.no_link = true;
    f.layout.paths = {copied};
    CHECK_FALSE(place_all(f.plan(), f.context));
}

TEST_CASE("files that paths.json lists but the package lacks are an error") {
    Fixture f;
    f.by_path(GENERATE(0, 1, 2));
    for (const std::string path : {"bin/none", "none/none"}) {
        f.layout.paths = {file(path)};
        const auto placed = place_all(f.plan(), f.context);
        REQUIRE_FALSE(placed);
        CHECK(placed.error().code == ErrorCode::corrupt_package);
    }
    f.layout.paths = {file("lib/none", PathType::softlink)};
    CHECK_FALSE(place_all(f.plan(), f.context));
    // Listed as a symlink, shipped as a file: taken as the file it is.
    f.layout.paths = {file("bin/tool", PathType::softlink)};
    REQUIRE(place_all(f.plan(), f.context));
    CHECK(f.scratch.read("prefix/bin/tool") == "tool");
}

TEST_CASE("parts of a plan can be placed one by one, and stop when told") {
    Fixture f;
    const LinkPlan plan = f.plan();
    const auto missing = find_missing_directories(plan.directories, f.prefix_fd.get(), f.context.prefix);
    REQUIRE(missing);
    CHECK(*missing == plan.directories);
    const auto created = create_directories(plan.directories, f.prefix_fd.get(), f.context.prefix);
    REQUIRE(created);
    CHECK(*created == plan.directories);
    CHECK(create_directories(plan.directories, f.prefix_fd.get(), f.context.prefix)->empty());
    CHECK(find_missing_directories(plan.directories, f.prefix_fd.get(), f.context.prefix)->empty());
    PlacedFiles all;
    for (std::size_t g = 0; g < plan.groups.size(); ++g) {
        auto part = place_groups(plan, g, g + 1, f.context);
        REQUIRE(part);
        all.merge(*std::move(part));
    }
    CHECK(all.digests.size() == 3);
    CHECK(all.hard_links + all.copies + all.rewritten + all.symlinks == plan.actions.size());

    std::atomic<bool> stop{true};
    PlaceContext stopped = f.context;
    stopped.stop = &stop;
    const auto cancelled = place_groups(plan, 0, 1, stopped);
    REQUIRE_FALSE(cancelled);
    CHECK(cancelled.error().code == ErrorCode::cancelled);
}

TEST_CASE("a file in the way of a directory is told") {
    Fixture f;
    f.scratch.write("prefix/lib", "a file");
    const LinkPlan plan = f.plan();
    const auto placed = place_all(plan, f.context);
    REQUIRE_FALSE(placed);
    CHECK(placed.error().code == ErrorCode::clobber);
    const auto existing = find_existing_targets(plan, f.prefix_fd.get(), f.context.prefix);
    REQUIRE(existing);
    CHECK(std::find(existing->begin(), existing->end(), "lib") != existing->end());
}

TEST_CASE("entry points are private executable files") {
    Scratch scratch;
    scratch.directory("pkg");
    scratch.directory("prefix");
    PackageLayout layout;
    layout.noarch = Noarch::python;
    layout.entry_points = {{"foo", "foo", "main"}};
    const PythonInfo python{"3.11", "lib/python3.11/site-packages", "bin/python3.11"};
    const auto plan = make_link_plan(layout, record(), python, {scratch.at("prefix")});
    REQUIRE(plan);
    const UniqueFd package = scratch.open("pkg");
    const UniqueFd prefix = scratch.open("prefix");
    const mode_t umask_before = ::umask(022);
    const auto placed = place_all(*plan, {package.get(), prefix.get(), scratch.at("pkg"), scratch.at("prefix")});
    ::umask(umask_before);
    REQUIRE(placed);
    CHECK(placed->entry_points == 1);
    CHECK((scratch.status("prefix/bin/foo").st_mode & 0777) == 0755);
    CHECK(scratch.read("prefix/bin/foo") == plan->entry_points[0].text);
}

TEST_CASE("the link type is found by trying") {
    Fixture f;
    CHECK(choose_link_type(f.package_fd.get(), f.prefix_fd.get(), {}).type == LinkType::hardlink);
    LinkPreference copy;
    copy.always_copy = true;
    CHECK(choose_link_type(f.package_fd.get(), f.prefix_fd.get(), copy).type == LinkType::copy);
    LinkPreference soft;
    soft.always_softlink = true;
    CHECK(choose_link_type(f.package_fd.get(), f.prefix_fd.get(), soft).type == LinkType::softlink);
    // /proc is another file system on every Linux.
    if (auto proc = open_directory("/proc"); proc) {
        const LinkChoice choice = choose_link_type(f.package_fd.get(), proc->get(), {});
        CHECK(choice.type == LinkType::copy);
        CHECK_FALSE(choice.reason.empty());
    }
    CHECK(::rmdir(f.scratch.at("prefix").c_str()) == 0); // the probes are gone
}
