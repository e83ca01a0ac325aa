#include <catch2/catch.hpp>

#include <cerrno>
#include <string>

#include "base/beneath.hpp"
#include "scratch.hpp"

using namespace taipan;

namespace {

ino_t inode(int fd) {
    struct stat status {};
    REQUIRE(::fstat(fd, &status) == 0);
    return status.st_ino;
}

} // namespace

TEST_CASE("directories are opened below a root, and only there") {
    Scratch scratch;
    scratch.directory("root/lib/deep");
    scratch.directory("outside");
    scratch.write("root/file", "x");
    scratch.symlink("root/lib64", "lib");
    scratch.symlink("root/lib/up", "../lib/deep");
    scratch.symlink("root/out", "../outside");
    scratch.symlink("root/absolute", scratch.at("outside"));
    const UniqueFd root = scratch.open("root");

    CHECK(inode(open_directory_beneath(root.get(), "").get()) == scratch.status("root").st_ino);
    CHECK(inode(open_directory_beneath(root.get(), "lib/deep").get()) == scratch.status("root/lib/deep").st_ino);
    CHECK(inode(open_directory_beneath(root.get(), "lib64/deep").get()) == scratch.status("root/lib/deep").st_ino);
    CHECK(inode(open_directory_beneath(root.get(), "lib/up").get()) == scratch.status("root/lib/deep").st_ino);

    const auto errno_of = [&](const std::string& path) {
        errno = 0;
        return open_directory_beneath(root.get(), path) ? 0 : errno;
    };
    CHECK(errno_of("out") == EXDEV);
    CHECK(errno_of("absolute") == EXDEV);
    CHECK(errno_of("..") == EXDEV);
    CHECK(errno_of("/") == EXDEV);
    CHECK(errno_of("lib/../../outside") == EXDEV);
    CHECK(errno_of("none") == ENOENT);
    CHECK(errno_of("file") == ENOTDIR);

    const auto error = open_directory_beneath(root.get(), "out", "/the/root");
    REQUIRE_FALSE(error);
    CHECK(error.error().message.find("/the/root/out") != std::string::npos);
}
