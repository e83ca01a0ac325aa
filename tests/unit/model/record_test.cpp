#include "model/record.hpp"

#include <catch2/catch.hpp>

#include <string>

TEST_CASE("package file names are split from the right", "[record]") {
    const auto parts = taipan::split_package_filename("a-b-c-1.0-py_0.tar.bz2");
    REQUIRE(parts);
    CHECK(parts->name == "a-b-c");
    CHECK(parts->version == "1.0");
    CHECK(parts->build == "py_0");
    CHECK(parts->extension == ".tar.bz2");
    const auto conda = taipan::split_package_filename("_libgcc_mutex-0.1-conda_forge.conda");
    REQUIRE(conda);
    CHECK(conda->name == "_libgcc_mutex");
    CHECK(conda->extension == ".conda");
    const auto stem = taipan::split_dist_name("python-3.11.10-h123_0");
    REQUIRE(stem);
    CHECK(stem->name == "python");
    CHECK(stem->extension.empty());
}

TEST_CASE("what is no package file name is refused", "[record]") {
    for (const char* name :
         {"", ".conda", "a.conda", "a-1.conda", "-1-0.conda", "a--0.conda", "a-1-.conda", "a-1-0.zip", "a-1-0.CONDA",
          "a-1-0.bz2", "a-1-0", "../a-1-0.conda", "a-1-0/../x.conda", "--.conda", "-"}) {
        CAPTURE(name);
        CHECK_FALSE(taipan::split_package_filename(name));
    }
    CHECK_FALSE(taipan::split_dist_name(std::string("a-1-0\0", 6)));
}

TEST_CASE("package extensions", "[record]") {
    CHECK(taipan::package_stem("a-1-0.conda") == "a-1-0");
    CHECK(taipan::package_stem("a-1-0.tar.bz2") == "a-1-0");
    CHECK(taipan::package_stem("a-1-0.zip") == "a-1-0.zip");
    CHECK(taipan::has_package_extension("x.tar.bz2"));
    CHECK_FALSE(taipan::has_package_extension("x.tar.gz"));
}

TEST_CASE("names made from a record", "[record]") {
    taipan::PackageRecord record;
    record.name = "foo";
    record.version = "1.0";
    record.build = "py_0";
    record.channel_name = "conda-forge";
    record.subdir = "noarch";
    CHECK(record.dist_name() == "foo-1.0-py_0");
    CHECK(record.dist_string() == "conda-forge/noarch::foo-1.0-py_0");
}
