#include "base/copy_file.hpp"

#include <array>

#include <catch2/catch.hpp>

#include "scratch.hpp"

using namespace taipan;

TEST_CASE("a copy has content, mode and time of its source, whether blocks can be shared or not") {
    const Scratch scratch;
    std::string content;
    for (int i = 0; content.size() < 300000; ++i) content += std::to_string(i);
    scratch.write("from/file", content, 0640);
    REQUIRE(::utimensat(AT_FDCWD, scratch.at("from/file").c_str(),
                        std::array<timespec, 2>{timespec{1000, 0}, timespec{2000, 5}}.data(), 0) == 0);
    const auto from = open_directory(scratch.at("from"));
    const auto to = open_directory(scratch.directory("to"));
    REQUIRE(from);
    REQUIRE(to);
    bool clones = GENERATE(true, false);
    for (const char* name : {"first", "second"}) { // the second one with what the first one has found out
        const auto source = open_source_file(from->get(), "file", "file");
        REQUIRE(source);
        const UniqueFd target = create_target_file(to->get(), name, 0600);
        REQUIRE(target);
        REQUIRE(copy_content(*source, target.get(), name, &clones));
        CHECK(scratch.read(std::string("to/") + name) == content);
        const auto status = scratch.status(std::string("to/") + name);
        CHECK((status.st_mode & 0777) == 0640);
        CHECK(status.st_mtim.tv_sec == 2000);
    }
    const auto source = open_source_file(from->get(), "file", "file");
    const UniqueFd target = create_target_file(to->get(), "third", 0600);
    if (clones) CHECK(clone_bytes(*source, target.get())); // what it says holds
}
