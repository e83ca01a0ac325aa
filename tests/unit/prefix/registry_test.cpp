#include <catch2/catch.hpp>

#include <string>
#include <vector>

#include "prefix/registry.hpp"
#include "scratch.hpp"

using namespace taipan;

TEST_CASE("environments are registered once and unregistered with all that are gone") {
    Scratch scratch;
    const std::string home = scratch.directory("home");
    scratch.write("a/conda-meta/history", "");
    scratch.write("b/conda-meta/history", "");
    REQUIRE(unregister_environment(home, scratch.at("a")));
    CHECK_FALSE(scratch.has("home/.conda"));
    REQUIRE(register_environment(home, scratch.at("a")));
    REQUIRE(register_environment(home, scratch.at("b/")));
    REQUIRE(register_environment(home, scratch.at("a/")));
    REQUIRE(register_environment(home, scratch.at("gone")));
    REQUIRE(register_environment(home, "/x/_h_env_placehold_placehold_pl/y"));
    const std::string file = "home/.conda/environments.txt";
    CHECK(scratch.read(file) == scratch.at("a") + "\n" + scratch.at("b") + "\n" + scratch.at("gone") + "\n");
    CHECK(*registered_environments(home) == std::vector<std::string>{scratch.at("a"), scratch.at("b")});
    REQUIRE(unregister_environment(home, scratch.at("a")));
    CHECK(scratch.read(file) == scratch.at("b") + "\n");
    scratch.write(file, scratch.at("b")); // no newline at the end
    REQUIRE(register_environment(home, scratch.at("a")));
    CHECK(scratch.read(file) == scratch.at("b") + "\n" + scratch.at("a") + "\n");
}

TEST_CASE("all environments are listed: root, envs_dirs, registered") {
    Scratch scratch;
    const std::string home = scratch.directory("home");
    for (const char* prefix : {"root", "root/envs/b", "root/envs/a", "else/where"}) {
        scratch.write(std::string(prefix) + "/conda-meta/history", "");
    }
    scratch.directory("root/envs/no-environment");
    REQUIRE(register_environment(home, scratch.at("else/where")));
    REQUIRE(register_environment(home, scratch.at("root/envs/a")));
    const auto listed = list_environments({home}, scratch.at("root"), {scratch.at("root/envs"), scratch.at("none")});
    REQUIRE(listed.size() == 4);
    CHECK(listed[0].name == "base");
    CHECK(listed[1].prefix == scratch.at("root/envs/a"));
    CHECK(listed[1].name == "a");
    CHECK(listed[2].name == "b");
    CHECK(listed[3].prefix == scratch.at("else/where"));
    CHECK(listed[3].name.empty());
}
