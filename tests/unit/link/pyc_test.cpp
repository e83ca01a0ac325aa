#include <catch2/catch.hpp>

#include <string>
#include <vector>

#include "link/pyc.hpp"
#include "scratch.hpp"

using namespace taipan;

namespace {

/// A prefix whose python is the system's: a link is enough, since compilation runs isolated and without site.
struct Fixture {
    Fixture() {
        scratch.symlink("bin/python3", "/usr/bin/python3");
        run.prefix = scratch.path;
        run.python = {"3.11", "lib", "bin/python3"};
        run.environment = {{"PATH", "/usr/bin:/bin"}, {"PYTHONPATH", "/nowhere"}, {"SOURCE_DATE_EPOCH", "1"}};
    }
    Scratch scratch;
    PycRun run;
};

std::uint32_t little_endian(const std::string& bytes, std::size_t at) {
    std::uint32_t value = 0;
    for (std::size_t i = 4; i > 0; --i) value = (value << 8U) | static_cast<unsigned char>(bytes[at + i - 1]);
    return value;
}

} // namespace

TEST_CASE("the interpreter runs isolated") {
    PycRun run;
    run.prefix = "/p";
    run.python = {"3.11", "s", "bin/python3.11"};
    const auto command = pyc_command(run);
    CHECK(command[0] == "/p/bin/python3.11");
    CHECK(std::vector<std::string>(command.begin() + 1, command.begin() + 6) ==
          std::vector<std::string>{"-s", "-S", "-B", "-Wignore", "-c"});
    run.python.version = "2.7";
    CHECK(pyc_command(run)[1] == "-E");
    CHECK(python_environment({{"PYTHONHOME", "x"}, {"PATH", "y"}, {"SOURCE_DATE_EPOCH", "1"}}) ==
          std::map<std::string, std::string>{{"PATH", "y"}, {"PYTHONHASHSEED", "0"}});
}

TEST_CASE("sources are compiled with their mtime, broken ones are skipped") {
    Fixture f;
    f.run.gently = GENERATE(false, true);
    f.scratch.write("lib/a b.py", "x = 1\n");
    f.scratch.write("lib/broken.py", "print 'python 2'\n");
    f.scratch.set_mtime("lib/a b.py", 1234567890);
    f.scratch.directory("lib/__pycache__");
    if (GENERATE(false, true)) f.scratch.write("lib/__pycache__/a b.pyc", "old"); // replaced, not written through
    const std::vector<PycItem> items{{"lib/a b.py", "lib/__pycache__/a b.pyc"},
                                     {"lib/broken.py", "lib/__pycache__/broken.pyc"},
                                     {"lib/missing.py", "lib/__pycache__/missing.pyc"}};
    auto compiler = PycCompiler::start(f.run);
    REQUIRE(compiler);
    const auto outcome = compiler->compile(items);
    REQUIRE(outcome);
    CHECK(*outcome == 1);
    const std::string pyc = f.scratch.read("lib/__pycache__/a b.pyc");
    REQUIRE(pyc.size() > 16);
    CHECK(little_endian(pyc, 4) == 0); // timestamp, no hash
    CHECK(little_endian(pyc, 8) == 1234567890U);
    CHECK(little_endian(pyc, 12) == 6U);
    CHECK(pyc.find(f.scratch.path) == std::string::npos);
    CHECK_FALSE(f.scratch.has("lib/__pycache__/broken.pyc"));
}

TEST_CASE("an interpreter takes one batch after the other") {
    Fixture f;
    f.scratch.directory("lib/__pycache__");
    auto compiler = PycCompiler::start(f.run);
    REQUIRE(compiler);
    CHECK(*compiler->compile({}) == 0);
    for (int batch = 0; batch < 3; ++batch) {
        std::vector<PycItem> items;
        for (int i = 0; i < 40; ++i) {
            const std::string name = "m" + std::to_string(batch * 100 + i);
            f.scratch.write("lib/" + name + ".py", "x = " + std::to_string(i) + "\n");
            items.push_back({"lib/" + name + ".py", "lib/__pycache__/" + name + ".pyc"});
        }
        const auto done = compiler->compile(items);
        REQUIRE(done);
        CHECK(*done == items.size());
        CHECK(f.scratch.has(items.back().pyc));
    }
}

TEST_CASE("an interpreter that does not run is an error") {
    Fixture f;
    f.run.python.executable = "bin/none";
    const std::vector<PycItem> items{{"a.py", "a.pyc"}};
    CHECK_FALSE(PycCompiler::start(f.run));
    f.scratch.write("bin/none", "#!/bin/sh\necho no library; exit 127\n", 0755);
    auto compiler = PycCompiler::start(f.run);
    REQUIRE(compiler);
    const auto outcome = compiler->compile(items);
    REQUIRE_FALSE(outcome);
    CHECK(outcome.error().code == ErrorCode::io);
    CHECK(outcome.error().message.find("no library") != std::string::npos);
    CHECK(outcome.error().message.find("127") != std::string::npos);
}

TEST_CASE("an interpreter that never answers is stopped") {
    Fixture f;
    f.run.python.executable = "bin/none";
    f.scratch.write("bin/none", "#!/bin/sh\nexec sleep 60\n", 0755);
    int asked = 0;
    f.run.stopped = [&asked] { return ++asked > 1; };
    auto compiler = PycCompiler::start(f.run);
    REQUIRE(compiler);
    const auto outcome = compiler->compile(std::vector<PycItem>{{"a.py", "a.pyc"}});
    REQUIRE_FALSE(outcome);
    CHECK(outcome.error().code == ErrorCode::cancelled);
}
