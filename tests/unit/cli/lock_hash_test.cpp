#include <catch2/catch.hpp>

#include "commands/lock_hash.hpp"

using namespace taipan;
using namespace taipan::cli;

namespace {

std::map<std::string, std::string> linux_machine(std::string arch) {
    return {{"__linux", "5.10"}, {"__glibc", "2.28"}, {"__cuda", "11.4"}, {"__archspec", std::move(arch)}};
}

std::string hash_of(const HashedRequest& request) {
    const auto hash = content_hash(request, {});
    REQUIRE(hash);
    return *hash;
}

} // namespace

// The values are those that conda-lock's own tests expect of an empty request with its default virtual packages.
TEST_CASE("an empty request has conda-lock's hash", "[lock_hash]") {
    CHECK(hash_of({"linux-64", {}, {}, {}, linux_machine("x86_64")}) ==
          "a949aac83da089258ce729fcd54dc0a3a1724ea325d67680d7a6d7cc9c0f1d1b");
    CHECK(hash_of({"linux-aarch64", {}, {}, {}, linux_machine("aarch64")}) ==
          "f68603a3a28dbb03d20a25e1dacda3c42b6acc8a93bd31e13c4956115820cfa6");
    CHECK(hash_of({"linux-ppc64le", {}, {}, {}, linux_machine("ppc64le")}) ==
          "ababb6bc556ac8c9e27a499bf9b83b5757f6ded385caa0c3d7bf3f360dfe358d");
    CHECK(hash_of({"osx-64", {}, {}, {}, {{"__osx", "11.0"}, {"__archspec", "x86_64"}}}) ==
          "b7eebe4be0654740f67e3023f2ede298f390119ef225f50ad7e7288ea22d5c93");
    CHECK(hash_of({"osx-arm64", {}, {}, {}, {{"__osx", "11.0"}, {"__archspec", "arm64"}}}) ==
          "cc82018d1b1809b9aebacacc5ed05ee6a4318b3eba039607d2a6957571f8bf2b");
    CHECK(hash_of({"win-64", {}, {}, {}, {{"__win", "0"}, {"__cuda", "11.4"}, {"__archspec", "x86_64"}}}) ==
          "44239e9f0175404e62e4a80bb8f4be72e38c536280d6d5e484e52fa04b45c9f6");
}

TEST_CASE("another version of CUDA is another request", "[lock_hash]") {
    auto machine = linux_machine("x86_64");
    machine["__cuda"] = "9.0";
    CHECK(hash_of({"linux-64", {}, {}, {}, machine}) ==
          "0257887bdd38bfe371e508a3d00710f82bcc0ffa06ae87a088aa2854fb6f5525");
}

TEST_CASE("specs are hashed as what they mean, in any order", "[lock_hash]") {
    const auto machine = linux_machine("x86_64");
    const auto one = hash_of({"linux-64", {"c"}, {"zlib", "python=3.9"}, {}, machine});
    CHECK(one == hash_of({"linux-64", {"c"}, {"python 3.9.*", "zlib"}, {}, machine}));
    CHECK(one != hash_of({"linux-64", {"c"}, {"zlib", "python=3.10"}, {}, machine}));
    CHECK(one != hash_of({"linux-64", {"d"}, {"zlib", "python=3.9"}, {}, machine}));
    CHECK(one != hash_of({"linux-64", {"c"}, {"zlib", "python=3.9"}, {{"zlib", {"dev"}}}, machine}));
}
