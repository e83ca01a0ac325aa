#include <catch2/catch.hpp>

#include "flow/interpreter_watch.hpp"

using namespace taipan;

namespace {

PackageRecord package(std::string name, std::vector<std::string> depends = {}) {
    PackageRecord record;
    record.name = std::move(name);
    record.depends = std::move(depends);
    return record;
}

const auto python = package("python", {"zlib >=1", "__glibc >=2"});
const auto zlib = package("zlib", {"libgcc"});

} // namespace

TEST_CASE("python can run when all that it needs is linked", "[interpreter_watch]") {
    InterpreterWatch watch({python, zlib, package("libgcc"), package("six", {"python"})},
                           {"python", "zlib", "libgcc", "six"});
    CHECK_FALSE(watch.ready());
    CHECK_FALSE(watch.linked(package("libgcc")));
    CHECK_FALSE(watch.linked(python));
    CHECK_FALSE(watch.linked(package("six", {"python"})));
    CHECK(watch.linked(zlib));
    CHECK(watch.ready());
    CHECK_FALSE(watch.linked(zlib)); // told once
}

TEST_CASE("what is installed already is not waited for", "[interpreter_watch]") {
    CHECK(InterpreterWatch({python, zlib, package("six")}, {"six"}).ready());
}

TEST_CASE("dependencies may become known only with the package", "[interpreter_watch]") {
    InterpreterWatch watch({package("python"), package("zlib"), package("libgcc")}, {"python", "zlib", "libgcc"});
    CHECK_FALSE(watch.linked(zlib));
    CHECK_FALSE(watch.linked(python)); // needs zlib, which needs libgcc
    CHECK(watch.linked(package("libgcc")));
}
