#include <catch2/catch.hpp>

#include <string>
#include <vector>

#include <fcntl.h>
#include <unistd.h>

#include "base/digest.hpp"
#include "prefix/check_files.hpp"
#include "scratch.hpp"

using namespace taipan;
using Names = std::vector<std::string>;

namespace {

InstalledPath path_of(const std::string& name, PathType type, const std::string& content = {}) {
    InstalledPath path;
    path.entry.path = name;
    path.entry.type = type;
    if (type != PathType::hardlink) return path;
    path.entry.size = content.size();
    path.sha256_in_prefix = path.entry.sha256 = sha256_hex(content);
    return path;
}

FileFindings check(Scratch& scratch, const PrefixRecord& record) {
    const UniqueFd prefix = scratch.open("p");
    const auto paths = checked_paths(record);
    auto found = FileChecker(prefix.get()).check(record, paths, 0, paths.size());
    if (!found) FAIL(found.error().describe());
    return *std::move(found);
}

} // namespace

TEST_CASE("files are compared with their record") {
    Scratch scratch;
    PrefixRecord record;
    record.files = {"a", "b", "link", "m.pyc", "never.pyc", "../out"};
    record.paths = {path_of("a", PathType::hardlink, "one"),  path_of("b", PathType::hardlink, "two"),
                    path_of("link", PathType::softlink),      path_of("m.pyc", PathType::pyc_file),
                    path_of("never.pyc", PathType::pyc_file), path_of("../out", PathType::hardlink, "x"),
                    path_of("empty", PathType::directory)};
    record.paths[3].entry.size = 5;
    scratch.write("p/a", "one");
    scratch.write("p/b", "two");
    scratch.symlink("p/link", "nowhere");
    scratch.write("p/m.pyc", "another size");
    scratch.directory("p/empty");

    SECTION("all as recorded") {
        const FileFindings found = check(scratch, record);
        CHECK(found.empty());
        CHECK(found.files == 6);
        CHECK(found.bytes == 6);
    }
    SECTION("content, kind and presence") {
        scratch.write("p/a", "ONE");
        scratch.write("p/b", "longer");
        const UniqueFd prefix = scratch.open("p");
        REQUIRE(::unlinkat(prefix.get(), "link", 0) == 0);
        REQUIRE(::unlinkat(prefix.get(), "m.pyc", 0) == 0);
        REQUIRE(::unlinkat(prefix.get(), "empty", AT_REMOVEDIR) == 0);
        const FileFindings found = check(scratch, record);
        CHECK(found.modified == Names{"a", "b"});
        CHECK(found.missing == Names{"empty", "link", "m.pyc"});
    }
    SECTION("the size as shipped says nothing of a file with a prefix") {
        record.paths[0].entry.placeholder = "/opt/old";
        record.paths[0].entry.size = 100;
        CHECK(check(scratch, record).empty());
    }
    SECTION("nor does it when only the hashes tell that the file has a prefix, as in mamba's records") {
        record.paths[0].entry.sha256 = sha256_hex("as shipped");
        record.paths[0].entry.size = 100;
        CHECK(check(scratch, record).empty());
    }
    SECTION("what is not recorded is not checked") {
        record.paths[0].sha256_in_prefix.clear();
        record.paths[0].entry.sha256.clear();
        scratch.write("p/a", "uno");
        CHECK(check(scratch, record).empty());
    }
}

TEST_CASE("the entries of conda's noarch records are named by files") {
    PrefixRecord record;
    record.files = {"lib/python3.11/site-packages/m.py", "bin/tool"};
    record.paths = {path_of("site-packages/m.py", PathType::hardlink, "x"),
                    path_of("bin/tool", PathType::unix_python_entry_point)};
    const auto paths = checked_paths(record);
    REQUIRE(paths.size() == 2);
    CHECK(paths[0].entry.path == "lib/python3.11/site-packages/m.py");
    CHECK(paths[0].sha256_in_prefix == sha256_hex("x"));
    CHECK(paths[1].entry.type == PathType::unix_python_entry_point);
}
