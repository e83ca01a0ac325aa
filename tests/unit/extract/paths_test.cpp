// Which path a member of an archive really means: spellings, links, and ways out of the tree.
#include "sandbox.hpp"

using namespace taipan;
using namespace taipan::test;

TEST_CASE("Hard links share the file or fail with their name", "[extract]") {
    Sandbox box;
    TarBuilder tar;
    tar.index().file("lib/one", "text").hardlink("share/deep/two", "lib/one").hardlink("lib/one", "./lib/one");
    const auto result = box.extract_tar(tar);
    REQUIRE(result);
    CHECK(box.status("share/deep/two").st_ino == box.status("lib/one").st_ino);
    CHECK(box.read("share/deep/two") == "text");
    check_refused(box.extract_tar(TarBuilder().index().hardlink("lib/two", "lib/missing")), "lib/missing");
    check_refused(box.extract_tar(TarBuilder().index().hardlink("lib/two", "../outside/x")), "..");
    check_refused(box.extract_tar(TarBuilder().index().hardlink("lib/two", "/etc/passwd")), "/etc/passwd");
}

TEST_CASE("A hard link cannot reach through a symlink that leaves the tree", "[extract][attack]") {
    Sandbox box;
    TarBuilder tar;
    tar.index().symlink("lib/etc", "/etc").hardlink("lib/stolen", "lib/etc/passwd");
    check_refused(box.extract_tar(tar), "leaves the package");
    CHECK_FALSE(fs::exists(box.tree() / "lib/stolen"));
}

TEST_CASE("A later member replaces an earlier one of the same path", "[extract]") {
    Sandbox box;
    TarBuilder tar;
    tar.index("first").file("a", "1").file("a", "2").symlink("b", "a").file("b", "3").file("c", "4").symlink("c", "a");
    tar.file("d", "5").hardlink("e", "d").file("e", "6").directory("f").directory("f").index("second");
    const auto result = box.extract_tar(tar);
    REQUIRE(result);
    CHECK(box.read("a") == "2");
    CHECK(box.read("b") == "3"); // not through the link
    CHECK(fs::read_symlink(box.tree() / "c") == "a");
    CHECK(box.read("d") == "5"); // not through the other name
    CHECK(box.read("e") == "6");
    CHECK(result->info.index_json == "second");
    check_refused(box.extract_tar(TarBuilder().index().file("x/y", "1").file("x", "2")), "'x'");
    check_refused(box.extract_tar(TarBuilder().index().file("x", "1").file("x/y", "2")), "'x'");
    check_refused(box.extract_tar(TarBuilder().index().file("x", "1").directory("x")), "'x'");
}

TEST_CASE("Spellings of one path are one path", "[extract]") {
    Sandbox box;
    TarBuilder tar;
    tar.directory("./").file("./info/index.json", "I").file("./info//./paths.json", "P").file("lib/./x", "1");
    const auto result = box.extract_tar(tar);
    REQUIRE(result);
    CHECK(result->info.index_json == "I");
    CHECK(result->info.paths_json == "P");
    CHECK(box.read("lib/x") == "1");
}

TEST_CASE("Paths that leave the tree are refused", "[extract][attack]") {
    Sandbox box;
    for (const std::string path : {"../outside/x", "lib/../../outside/x", "lib/..", "..", "/tmp/taipan-x", "//x"}) {
        INFO(path);
        const auto result = box.extract_tar(TarBuilder().index().file(path, "evil"));
        REQUIRE_FALSE(result);
        CHECK(result.error().code == ErrorCode::corrupt_package);
        CHECK(box.outside_is_untouched());
    }
    check_refused(box.extract_tar(TarBuilder().index().file("./", "evil").directory("x")), "");
}

TEST_CASE("Nothing is written through a symlink that leaves the tree", "[extract][attack]") {
    Sandbox box;
    const auto absolute = box.outside().string();
    for (const std::string& target : {absolute, std::string("../outside"), std::string("x/../../outside")}) {
        INFO(target);
        TarBuilder base;
        base.index().directory("x").symlink("planted", target);
        auto file = base, deep = base, directory = base, link = base, hard = base;
        check_refused(box.extract_tar(file.file("planted/evil", "evil")), "planted");
        check_refused(box.extract_tar(deep.file("planted/a/b", "evil")), "planted");
        check_refused(box.extract_tar(directory.directory("planted/evil")), "planted");
        check_refused(box.extract_tar(link.symlink("planted/evil", "x")), "planted");
        check_refused(box.extract_tar(hard.hardlink("planted/evil", "info/index.json")), "planted");
        CHECK(box.outside_is_untouched());
    }
    // A chain of links that are each harmless in the text.
    TarBuilder chain;
    chain.index().directory("a").symlink("a/up", "..").symlink("a/upup", "up/..").file("a/upup/outside/evil", "evil");
    check_refused(box.extract_tar(chain), "a/upup");
    // A link of the same name as a file does not lead the file anywhere.
    std::ofstream(box.outside() / "victim") << "unharmed";
    TarBuilder last;
    last.index().symlink("lib/x", absolute + "/victim").file("lib/x", "evil");
    REQUIRE(box.extract_tar(last));
    CHECK(box.read("lib/x") == "evil");
    CHECK(fs::is_regular_file(fs::symlink_status(box.tree() / "lib/x")));
    CHECK(fs::file_size(box.outside() / "victim") == 8);
}

TEST_CASE("Symlinks that stay inside the tree may be written through", "[extract]") {
    Sandbox box;
    TarBuilder tar;
    tar.index("old").directory("lib").symlink("lib64", "lib").file("lib64/x", "1").symlink("meta", "info");
    tar.file("meta/index.json", "new").symlink("share/up", "../lib/").file("share/up/deep/y", "2");
    const auto result = box.extract_tar(tar);
    INFO((result ? std::string() : result.error().describe()));
    REQUIRE(result);
    CHECK(box.read("lib/x") == "1");
    CHECK(box.read("lib/deep/y") == "2");
    CHECK(result->info.index_json == "new"); // what is on disk
    check_refused(box.extract_tar(TarBuilder().index().symlink("l", "nowhere").file("l/x", "1")), "'l'");
    check_refused(box.extract_tar(TarBuilder().index().symlink("l", "l").file("l/x", "1")), "'l'");
}

TEST_CASE("A tree is contained if no symlink can lead out of it", "[extract][attack]") {
    const auto contained = [](TarBuilder tar) {
        Sandbox box;
        const auto result = box.extract_tar(tar.index());
        REQUIRE(result);
        return result->contained;
    };
    using Tar = TarBuilder;
    CHECK(contained(demo_payload()));
    CHECK(contained(Tar().symlink("a/b/l", "../../c/d")));
    CHECK(contained(Tar().symlink("a/l", "./..//lib/./x")));
    CHECK(contained(Tar().symlink("lib64", "lib").symlink("lib", "usr")));
    CHECK(contained(Tar().symlink("a/l", "../x").hardlink("b/m", "a/l")));
    CHECK_FALSE(contained(Tar().symlink("l", "/etc")));
    CHECK_FALSE(contained(Tar().symlink("l", "..")));
    CHECK_FALSE(contained(Tar().symlink("a/l", "../../x")));
    CHECK_FALSE(
        contained(Tar().symlink("a/up", "..").symlink("a/b/l", "../up/../x")));  // where up/.. is, is not in the text
    CHECK_FALSE(contained(Tar().symlink("a/l", "../x").hardlink("m", "a/l")));   // the same text, one level up
    CHECK_FALSE(contained(Tar().symlink("a/b", "..").symlink("a/b/l", "../x"))); // made through a symlink
}

TEST_CASE("A link that is replaced is not used any more", "[extract][attack]") {
    Sandbox box;
    TarBuilder tar;
    tar.index().directory("lib").symlink("l", "lib").file("l/d/x", "1").symlink("l", box.outside().string());
    tar.file("l/d/evil", "evil");
    check_refused(box.extract_tar(tar), "leaves the package");
    CHECK(box.outside_is_untouched());
    CHECK_FALSE(fs::exists(box.tree() / "lib/d/evil"));
}

TEST_CASE("Metadata that arrives as a link is what is on disk", "[extract]") {
    Sandbox box;
    const auto result = box.extract_tar(TarBuilder().file("info/real", "R").hardlink("info/index.json", "info/real"));
    REQUIRE(result);
    CHECK(result->info.index_json == "R");
    check_refused(box.extract_tar(TarBuilder().symlink("info/index.json", "/etc/passwd")), "symbolic link");
    check_refused(box.extract_tar(TarBuilder().file("lib/x", "no metadata")), "info/index.json");
}
