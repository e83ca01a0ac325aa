#include <catch2/catch.hpp>

#include <string>

#include "prefix/prefix_data.hpp"
#include "prefix/unlink.hpp"
#include "scratch.hpp"

using namespace taipan;

TEST_CASE("unlinking removes what the record lists, empty directories, and nothing else") {
    Scratch scratch;
    const std::string prefix = scratch.at("e");
    REQUIRE(create_environment(prefix, 1));
    PrefixRecord record;
    record.package.name = "foo";
    record.package.version = "1";
    record.package.build = "0";
    record.package.noarch = Noarch::python;
    const std::string packages = "lib/python3.11/site-packages/";
    record.files = {packages + "foo/__init__.py",
                    packages + "foo/__pycache__/__init__.cpython-311.pyc",
                    "bin/foo",
                    "share/link",
                    packages + "foo/other.py",
                    "../outside",
                    "already/gone"};
    InstalledPath empty;
    empty.entry.path = "var/foo/empty";
    empty.entry.type = PathType::directory;
    record.paths = {empty};
    scratch.write("outside", "mine");
    scratch.write("e/" + record.files[0], "x");
    scratch.write("e/" + record.files[1], "x");
    scratch.write("e/" + packages + "foo/__pycache__/other.cpython-312.opt-1.pyc", "cached by another python");
    scratch.write("e/" + packages + "foo/other.py", "x");
    scratch.write("e/bin/foo", "x");
    scratch.write("e/bin/user", "mine");
    scratch.write("e/share/target", "mine");
    scratch.symlink("e/share/link", "target");
    scratch.directory("e/var/foo/empty");
    REQUIRE(write_prefix_record(prefix, record));

    auto transaction = Transaction::begin(prefix);
    REQUIRE(transaction);
    REQUIRE(unlink_records({record}, {}, *transaction));
    SECTION("committed") {
        REQUIRE(transaction->commit());
        CHECK_FALSE(scratch.has("e/lib"));
        CHECK_FALSE(scratch.has("e/var"));
        CHECK_FALSE(scratch.has("e/share/link"));
        CHECK_FALSE(scratch.has("e/bin/foo"));
        CHECK_FALSE(scratch.has("e/conda-meta/foo-1-0.json"));
        CHECK(scratch.read("e/bin/user") == "mine");
        CHECK(scratch.read("e/share/target") == "mine");
        CHECK(scratch.read("outside") == "mine");
        CHECK(is_environment(prefix));
    }
    SECTION("rolled back") {
        REQUIRE(transaction->rollback());
        for (std::size_t i : {0U, 1U, 2U, 3U, 4U}) CHECK(scratch.has("e/" + record.files[i]));
        CHECK(scratch.has("e/" + packages + "foo/__pycache__/other.cpython-312.opt-1.pyc"));
        CHECK(scratch.has("e/var/foo/empty"));
        CHECK(load_prefix(prefix, RecordDetail::full)->records.size() == 1);
    }
}

TEST_CASE("bytecode that nobody lists stays when it is not of this package's modules") {
    Scratch scratch;
    const std::string prefix = scratch.at("e");
    REQUIRE(create_environment(prefix, 1));
    PrefixRecord record;
    record.package.name = "foo";
    record.package.version = "1";
    record.package.build = "0";
    record.files = {"lib/a.py"};
    scratch.write("e/lib/a.py", "x");
    scratch.write("e/lib/__pycache__/a.cpython-311.pyc", "x");
    scratch.write("e/lib/__pycache__/b.cpython-311.pyc", "x");
    record.package.noarch = GENERATE(Noarch::none, Noarch::python);
    auto transaction = Transaction::begin(prefix);
    REQUIRE(unlink_records({record}, {}, *transaction));
    REQUIRE(transaction->commit());
    CHECK(scratch.has("e/lib/__pycache__/b.cpython-311.pyc"));
    CHECK(scratch.has("e/lib/__pycache__/a.cpython-311.pyc") == (record.package.noarch == Noarch::none));
}
