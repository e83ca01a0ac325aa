#include <catch2/catch.hpp>

#include <string>

#include "link/package_info.hpp"
#include "scratch.hpp"

using namespace taipan;

namespace {

PackageInfoTexts with_paths(const std::string& paths_json) {
    PackageInfoTexts texts;
    texts.index_json = R"({"name": "p", "version": "1", "build": "0"})";
    texts.paths_json = paths_json;
    return texts;
}

void check_corrupt(const PackageInfoTexts& texts) {
    const auto layout = parse_package_layout(texts);
    REQUIRE_FALSE(layout);
    CHECK(layout.error().code == ErrorCode::corrupt_package);
}

} // namespace

TEST_CASE("paths.json is read with every key it may have") {
    const auto layout = parse_package_layout(with_paths(R"({"paths": [
      {"_path": "bin/tool", "path_type": "hardlink", "sha256": "ab", "size_in_bytes": 4, "prefix_placeholder": "/ph",
       "file_mode": "binary", "inode_paths": ["bin/tool", "bin/t2"]},
      {"_path": "lib/x", "path_type": "softlink", "no_link": null},
      {"_path": "etc/conf", "path_type": "hardlink", "no_link": true, "prefix_placeholder": "/ph"},
      {"_path": "var/empty", "path_type": "directory"}], "paths_version": 1, "new": {"a": [1, {}]}})"));
    REQUIRE(layout);
    REQUIRE(layout->paths.size() == 4);
    const PathEntry& tool = layout->paths[0];
    CHECK(tool.path == "bin/tool");
    CHECK(tool.type == PathType::hardlink);
    CHECK(tool.sha256 == "ab");
    CHECK(tool.size == 4U);
    CHECK(tool.placeholder == "/ph");
    CHECK(tool.mode == FileMode::binary);
    CHECK(layout->paths[1].type == PathType::softlink);
    CHECK_FALSE(layout->paths[1].no_link);
    CHECK(layout->paths[2].no_link);
    CHECK(layout->paths[2].mode == FileMode::text);
    CHECK(layout->paths[3].type == PathType::directory);
    CHECK_FALSE(layout->legacy);
    CHECK(layout->noarch == Noarch::none);
}

TEST_CASE("a long paths.json is read in pieces, as strictly as a short one") {
    const auto document = [](std::size_t count, const std::string& odd, const std::string& version = "1") {
        std::string text = R"({"paths": [)";
        for (std::size_t i = 0; i < count; ++i) {
            if (i == count / 2) text += odd;
            text += R"({"_path": "lib/file)" + std::to_string(i) + R"(", "path_type": "hardlink", "sha256": ")" +
                    std::string(64, 'a') + R"("},)";
        }
        text.back() = ']';
        return text + R"(, "paths_version": )" + version + "}";
    };
    constexpr std::size_t many = 20'000;
    const auto layout =
        parse_package_layout(with_paths(document(many, R"({"_path": "odd", "path_type": "softlink"},)")));
    REQUIRE(layout);
    REQUIRE(layout->paths.size() == many + 1);
    CHECK(layout->paths.front().path == "lib/file0");
    CHECK(layout->paths[many / 2].path == "odd");
    CHECK(layout->paths[many / 2].type == PathType::softlink);
    CHECK(layout->paths.back().path == "lib/file19999");
    CHECK(layout->paths.back().sha256 == std::string(64, 'a'));
    for (const std::string odd :
         {"7,", "{]},", R"({"_path": "../out", "path_type": "hardlink"},)", R"({"_path": "x},)"}) {
        INFO(odd);
        check_corrupt(with_paths(document(many, odd)));
    }
    check_corrupt(with_paths(document(many, "", "2")));
    check_corrupt(with_paths(document(many, "").substr(0, 2'000'000)));
}

TEST_CASE("broken or hostile metadata is refused") {
    check_corrupt(with_paths("{"));
    check_corrupt(with_paths("[]"));
    check_corrupt(with_paths("{}"));
    check_corrupt(with_paths(R"({"paths_version": 2, "paths": []})"));
    check_corrupt(with_paths(R"({"paths_version": 1, "paths": [1]})"));
    check_corrupt(with_paths(R"({"paths_version": 1, "paths": [{"path_type": "hardlink"}]})"));
    check_corrupt(with_paths(R"({"paths_version": 1, "paths": [{"_path": "a", "path_type": "device"}]})"));
    check_corrupt(with_paths(R"({"paths_version": 1, "paths": [{"_path": "a)"));
    for (const std::string path : {"../a", "/etc/passwd", "a/../../b", "a//b", "./a", "a/", "", "a\\u0000b"}) {
        INFO(path);
        check_corrupt(
            with_paths(R"({"paths_version": 1, "paths": [{"_path": ")" + path + R"(", "path_type": "hardlink"}]})"));
    }
    PackageInfoTexts texts = with_paths(R"({"paths_version": 1, "paths": []})");
    texts.link_json = R"({"package_metadata_version": 2})";
    check_corrupt(texts);
    texts.link_json = R"({"package_metadata_version": 1, "noarch": {"type": "python", "entry_points": ["x"]}})";
    check_corrupt(texts);
    texts.link_json.clear();
    texts.index_json.clear();
    check_corrupt(texts);
}

TEST_CASE("what begins like null and is not is broken metadata, no exception") {
    for (const char* value : {"nope", "n", "nul", "nullx"}) {
        INFO(value);
        check_corrupt(with_paths(R"({"paths": [{"_path": "x", "path_type": "hardlink", "sha256": )" +
                                 std::string(value) + "}]}"));
    }
}

TEST_CASE("link.json tells noarch and entry points") {
    PackageInfoTexts texts = with_paths(R"({"paths_version": 1, "paths": []})");
    texts.link_json = R"({"package_metadata_version": 1, "preferred_env": {"name": "x"},
                          "noarch": {"type": "python", "entry_points": ["foo = foo.cli:main", "b=b:c"]}})";
    const auto layout = parse_package_layout(texts);
    REQUIRE(layout);
    CHECK(layout->noarch == Noarch::python);
    REQUIRE(layout->entry_points.size() == 2);
    CHECK(layout->entry_points[1].command == "b");

    texts.link_json = R"({"package_metadata_version": 1, "noarch": {"type": "python", "entry_points": null}})";
    CHECK(parse_package_layout(texts)->entry_points.empty());
    texts.link_json.clear();
    texts.index_json = R"({"noarch": true})";
    CHECK(parse_package_layout(texts)->noarch == Noarch::generic);
    texts.index_json = R"({"noarch": "python"})";
    CHECK(parse_package_layout(texts)->noarch == Noarch::python);
}

TEST_CASE("packages without paths.json are read from their old files") {
    PackageInfoTexts texts;
    texts.index_json = "{}";
    texts.files = "bin/a\n\n# comment\n  lib/b c  \nlib/l\nlib/q\n";
    texts.has_prefix = "bin/a\n\"/some where\" binary \"lib/b c\"\n'/ph' text lib/q\n";
    texts.no_link = "bin/a\n";
    texts.no_softlink = "lib/q\n";
    auto layout = parse_package_layout(texts);
    REQUIRE(layout);
    CHECK(layout->legacy);
    REQUIRE(layout->paths.size() == 4);
    CHECK(layout->paths[0].placeholder == std::string("/opt/anaconda1") + "anaconda2" + "anaconda3");
    CHECK(layout->paths[0].no_link);
    CHECK(layout->paths[1].path == "lib/b c");
    CHECK(layout->paths[1].placeholder == "/some where");
    CHECK(layout->paths[1].mode == FileMode::binary);
    CHECK(layout->paths[2].placeholder.empty());
    CHECK_FALSE(layout->paths[2].no_link);
    CHECK(layout->paths[3].placeholder == "/ph");
    CHECK(layout->paths[3].no_link);

    Scratch scratch;
    scratch.write("bin/a", "");
    scratch.write("lib/b c", "");
    scratch.symlink("lib/l", "nowhere");
    const UniqueFd fd = scratch.open("");
    CHECK_FALSE(detect_symlinks(*layout, fd.get())); // lib/q is missing
    scratch.write("lib/q", "");
    REQUIRE(detect_symlinks(*layout, fd.get()));
    CHECK(layout->paths[2].type == PathType::softlink);
    CHECK(layout->paths[3].type == PathType::hardlink);

    texts.files = "../x\n";
    check_corrupt(texts);
    texts.files = "bin/a\n";
    texts.has_prefix = "one two\n";
    check_corrupt(texts);
}

TEST_CASE("a package directory is loaded") {
    Scratch scratch;
    const UniqueFd fd = scratch.open("");
    const auto empty = load_package_layout(fd.get());
    REQUIRE_FALSE(empty);
    CHECK(empty.error().code == ErrorCode::corrupt_package);

    scratch.write("info/index.json", R"({"noarch": "generic"})");
    scratch.write("info/files", "share/x\n");
    scratch.write("share/x", "1");
    const auto old = load_package_layout(fd.get());
    REQUIRE(old);
    CHECK(old->paths.size() == 1);
    scratch.write("info/paths.json", R"({"paths_version": 1, "paths": []})");
    scratch.write("info/package_metadata.json",
                  R"({"package_metadata_version": 1, "noarch": {"type": "python", "entry_points": ["a=b:c"]}})");
    const auto layout = load_package_layout(fd.get());
    REQUIRE(layout);
    CHECK(layout->paths.empty());
    CHECK(layout->noarch == Noarch::python);
    CHECK(layout->entry_points.size() == 1);
}
