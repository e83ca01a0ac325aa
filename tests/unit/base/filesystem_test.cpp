#include <catch2/catch.hpp>

#include <cerrno>
#include <string>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/digest.hpp"
#include "base/filesystem.hpp"
#include "scratch.hpp"

using namespace taipan;

TEST_CASE("paths are cleaned as text") {
    CHECK(absolute_path("a/./b//../c", "/w") == "/w/a/c");
    CHECK(absolute_path("/x/../../y/", "/w") == "/y");
    CHECK(absolute_path("..", "/") == "/");
    CHECK(absolute_path(".", "/w/d") == "/w/d");
    CHECK(base_name("/a/b") == "b");
    CHECK(parent_path("/a/b") == "/a");
    CHECK(parent_path("/a") == "/");
    CHECK(parent_path("a").empty());
}

TEST_CASE("only plain relative paths are safe") {
    for (const char* good : {"a", "a/b", ".hidden", "a/..b", "a/b.."}) CHECK(is_safe_relative_path(good));
    for (const char* bad : {"", "/a", "a//b", "a/", ".", "..", "../a", "a/../b", "a/."})
        CHECK_FALSE(is_safe_relative_path(bad));
    CHECK_FALSE(is_safe_relative_path(std::string_view("a\0b", 3)));
}

TEST_CASE("an atomic write replaces whole files, and leaves nothing behind when it fails") {
    const Scratch directory;
    REQUIRE(write_file_atomic(directory.path + "/f", "one"));
    REQUIRE(write_file_atomic(directory.path + "/f", "two"));
    CHECK(*read_file(directory.path + "/f") == "two");
    REQUIRE(make_directories(directory.path + "/d"));
    CHECK_FALSE(write_file_atomic(directory.path + "/d", "x"));
    CHECK(*read_file(directory.path + "/f", 3) == "two");
    const auto too_large = read_file(directory.path + "/f", 2);
    REQUIRE_FALSE(too_large);
    CHECK(too_large.error().code == ErrorCode::parse);
}

TEST_CASE("removing a tree does not follow symlinks") {
    const Scratch directory;
    REQUIRE(make_directories(directory.path + "/keep"));
    REQUIRE(write_file_atomic(directory.path + "/keep/file", "x"));
    REQUIRE(make_directories(directory.path + "/tree/deep/er"));
    REQUIRE(::symlink((directory.path + "/keep").c_str(), (directory.path + "/tree/link").c_str()) == 0);
    REQUIRE(remove_tree(directory.path + "/tree"));
    CHECK_FALSE(exists(directory.path + "/tree"));
    CHECK(exists(directory.path + "/keep/file"));
    CHECK(remove_tree(directory.path + "/never-was"));
}

TEST_CASE("a staged directory appears whole or not at all") {
    const Scratch directory;
    {
        auto staged = StagedDirectory::create(directory.path, "p");
        REQUIRE(staged);
        REQUIRE(write_file_atomic(staged->path() + "/file", "new"));
    }
    REQUIRE(::rmdir(directory.path.c_str()) == 0); // only an empty directory can be removed so
    REQUIRE(make_directories(directory.path));
    REQUIRE(make_directories(directory.path + "/p"));
    REQUIRE(write_file_atomic(directory.path + "/p/old", "old"));
    auto staged = StagedDirectory::create(directory.path, "p");
    REQUIRE(staged);
    REQUIRE(write_file_atomic(staged->path() + "/file", "new"));
    REQUIRE(staged->commit(directory.path + "/p"));
    CHECK(exists(directory.path + "/p/file"));
    CHECK_FALSE(exists(directory.path + "/p/old"));
}

TEST_CASE("a held lock is waited for, then reported") {
    const Scratch directory;
    const std::string path = directory.path + "/lock";
    {
        auto held = FileLock::acquire(path, 0);
        REQUIRE(held);
        const auto second = FileLock::acquire(path, 0.05);
        REQUIRE_FALSE(second);
        CHECK(second.error().code == ErrorCode::locked);
        CHECK(second.error().message.find(path) != std::string::npos);
    }
    CHECK(FileLock::acquire(path, 0));
    CHECK_FALSE(exists(path));
}

TEST_CASE("system errors say what, where and why") {
    const auto missing = read_file("/nonexistent/file");
    REQUIRE_FALSE(missing);
    CHECK(missing.error().code == ErrorCode::io);
    CHECK(missing.error().message == "cannot open /nonexistent/file: No such file or directory");
    CHECK(system_error(ENOSPC, "cannot write", "x").code == ErrorCode::no_space);
    CHECK(system_error(EROFS, "cannot write", "x").code == ErrorCode::not_writable);
}

TEST_CASE("digests are those of the standards") {
    CHECK(sha256_hex("abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    CHECK(md5_hex("") == "d41d8cd98f00b204e9800998ecf8427e");
    Digest digest(Digest::Kind::sha256);
    digest.update("a");
    digest.update("bc");
    CHECK(digest.finish_hex() == sha256_hex("abc"));
    CHECK(digest.finish_hex() == sha256_hex(""));
}
