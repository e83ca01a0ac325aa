#include <catch2/catch.hpp>

#include <string>

#include "link/noarch_python.hpp"

using namespace taipan;

namespace {

PackageRecord python(const std::string& version, const std::string& build, const std::string& site_packages = {}) {
    PackageRecord record;
    record.name = "python";
    record.version = version;
    record.build = build;
    record.python_site_packages_path = site_packages;
    return record;
}

} // namespace

TEST_CASE("where python looks is told by its record") {
    const auto plain = python_info(python("3.11.4", "h1_0_cpython"));
    REQUIRE(plain);
    CHECK(*plain == PythonInfo{"3.11", "lib/python3.11/site-packages", "bin/python3.11"});
    CHECK(python_info(python("3.14rc1", "h1_0"))->version == "3.14");
    CHECK(python_info(python("3.9", "h1_0"))->version == "3.9");

    const auto cep17 = python_info(python("3.13.0", "h1_cp313t", "lib/python3.13t/site-packages"));
    REQUIRE(cep17);
    CHECK(*cep17 == PythonInfo{"3.13", "lib/python3.13t/site-packages", "bin/python3.13t"});
    const auto by_build = python_info(python("3.13.0", "h92d6c8b_0_cp313t"));
    CHECK(by_build->site_packages_path == "lib/python3.13t/site-packages");
    CHECK(python_info(python("3.13.0", "h92d6c8b_0_cp313"))->executable == "bin/python3.13");

    for (const char* escape : {"../x", "/abs", "lib/../../x", "a//b", "."}) {
        INFO(escape);
        const auto result = python_info(python("3.13.0", "0", escape));
        REQUIRE_FALSE(result);
        CHECK(result.error().code == ErrorCode::corrupt_package);
    }
    CHECK_FALSE(python_info(python("3", "0")));
    CHECK_FALSE(python_info(python("x.y", "0")));
}

TEST_CASE("noarch python paths are relocated") {
    const PythonInfo info{"3.11", "lib/python3.11/site-packages", "bin/python3.11"};
    CHECK(noarch_target_path("site-packages/a/b.py", info) == "lib/python3.11/site-packages/a/b.py");
    CHECK(noarch_target_path("python-scripts/tool", info) == "bin/tool");
    CHECK(noarch_target_path("etc/foo.cfg", info) == "etc/foo.cfg");
    CHECK(noarch_target_path("site-packagesx/a", info) == "site-packagesx/a");
}

TEST_CASE("which sources are compiled, and to where") {
    const PythonInfo info{"3.11", "lib/python3.11/site-packages", "bin/python3.11"};
    CHECK(is_compiled_source("site-packages/a/b.py"));
    CHECK(is_compiled_source("site-packages/six.py"));
    CHECK_FALSE(is_compiled_source("site-packages/.py"));
    CHECK_FALSE(is_compiled_source("site-packages/a.pyi"));
    CHECK_FALSE(is_compiled_source("python-scripts/a.py"));
    CHECK_FALSE(is_compiled_source("lib/a.py"));
    CHECK_FALSE(is_compiled_source("site-packages/a\tb.py"));
    CHECK(pyc_path("lib/a/b.c.py", info) == "lib/a/__pycache__/b.c.cpython-311.pyc");
    CHECK(pyc_path("six.py", {"3.8", "s", "e"}) == "__pycache__/six.cpython-38.pyc");
    CHECK(pyc_path("lib/six.py", {"2.7", "s", "e"}) == "lib/six.pyc");
}
