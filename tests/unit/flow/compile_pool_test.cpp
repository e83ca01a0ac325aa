#include "flow/compile_pool.hpp"

#include <algorithm>
#include <map>

#include <catch2/catch.hpp>

#include "scratch.hpp"

using namespace taipan;

namespace {

/// Counts how often each package began and ended well or not.
class Counting final : public EventSink {
public:
    struct Counts {
        int begun = 0, succeeded = 0, failed = 0;
    };
    void begin(Stage, std::string_view subject, std::uint64_t) override {
        const std::scoped_lock guard(mutex_);
        counts_[std::string(subject)].begun++;
    }
    void advance(Stage, std::string_view, std::uint64_t) override {}
    void end(Stage, std::string_view subject, bool ok) override {
        const std::scoped_lock guard(mutex_);
        Counts& counts = counts_[std::string(subject)];
        (ok ? counts.succeeded : counts.failed)++;
    }
    void note(Severity, std::string_view message) override {
        const std::scoped_lock guard(mutex_);
        notes_ += std::string(message) + '\n';
    }
    std::string notes() {
        const std::scoped_lock guard(mutex_);
        return notes_;
    }
    Counts of(const std::string& subject) {
        const std::scoped_lock guard(mutex_);
        return counts_[subject];
    }

private:
    std::mutex mutex_;
    std::map<std::string, Counts> counts_;
    std::string notes_;
};

struct Fixture {
    Fixture() {
        scratch.directory("lib/__pycache__");
        run.prefix = scratch.path;
        run.python = {"3.11", "lib", "bin/python"};
        run.environment = {{"PATH", "/usr/bin:/bin"}};
    }
    void python(const std::string& script) { scratch.write("bin/python", "#!/bin/sh\n" + script + "\n", 0755); }

    std::vector<PycItem> modules(const std::string& name, int count) {
        std::vector<PycItem> items;
        for (int i = 0; i < count; ++i) {
            const std::string module = name + std::to_string(i);
            const std::string text = "x = " + std::to_string(i) + std::string(static_cast<std::size_t>(i), '\n');
            scratch.write("lib/" + module + ".py", text);
            items.push_back({"lib/" + module + ".py", "lib/__pycache__/" + module + ".pyc", text.size()});
        }
        return items;
    }
    [[nodiscard]] bool all_there(const std::vector<PycItem>& items) const {
        return std::all_of(items.begin(), items.end(), [&](const PycItem& item) { return scratch.has(item.pyc); });
    }

    Scratch scratch;
    PycRun run;
    Counting sink;
    std::atomic<bool> stop{false};
};

/// Runs the given program, but is killed by modules that have "kill" in them; by those that have "once" in them, only
/// when it has compiled before.
constexpr const char* mortal = R"(#!/usr/bin/python3
import builtins, os, sys
real, before = builtins.compile, 0
def compile(text, name, *rest, **more):
    global before
    if b"kill" in text or (b"once" in text and before):
        os.kill(os.getpid(), 9)
    before += 1
    return real(text, name, *rest, **more)
program = sys.argv[sys.argv.index("-c") + 1]
sys.argv = ["-c", *sys.argv[sys.argv.index("-c") + 2:]]
builtins.compile = compile
exec(real(program, "program", "exec"))
)";

constexpr const char* works = "exec /usr/bin/python3 \"$@\"";

} // namespace

TEST_CASE("modules of several packages are compiled, before and after the pool is open") {
    Fixture f;
    f.python(works);
    CompilePool pool(f.run, 2, f.sink, f.stop);
    const auto first = f.modules("a", 30);
    const auto second = f.modules("b", 3);
    pool.add("first", first);
    pool.open();
    pool.add("second", second);
    pool.add("nothing", {});
    const auto done = pool.finish();
    REQUIRE(done);
    CHECK(*done == 33);
    CHECK(f.all_there(first));
    CHECK(f.all_there(second));
    CHECK(f.sink.of("first").begun == 1);
    CHECK(f.sink.of("first").succeeded == 1);
    CHECK(f.sink.of("second").succeeded == 1);
    CHECK(f.sink.of("nothing").begun == 0);

    const auto late = f.modules("c", 2);
    pool.add("late", {late[0]});
    pool.add("late", {late[1]});
    const auto more = pool.finish();
    REQUIRE(more);
    CHECK(*more == 2);
    CHECK(f.all_there(late));
}

TEST_CASE("a long rest is compiled by interpreters that are not held back") {
    Fixture f;
    f.python("for last; do :; done\n[ \"$last\" = gently ]; echo $? >> \"$0.log\"\n" + std::string(works));
    CompilePool pool(f.run, 1, f.sink, f.stop);
    auto items = f.modules("a", 40);
    for (auto& item : items) item.source_size = 1 << 20; // as if they were
    pool.open();
    pool.add("package", items);
    while (f.sink.of("package").begun == 0) std::this_thread::yield();
    const auto done = pool.finish();
    REQUIRE(done);
    CHECK(*done == 40);
    CHECK(f.scratch.read("bin/python.log").ends_with("1\n"));
    CHECK(f.all_there(items));
}

TEST_CASE("a pool that was never opened compiles when it is finished") {
    Fixture f;
    f.python(works);
    CompilePool pool(f.run, 1, f.sink, f.stop);
    const auto items = f.modules("a", 3);
    pool.add("package", items);
    const auto done = pool.finish();
    REQUIRE(done);
    CHECK(*done == 3);
    CHECK(*pool.finish() == 0);
}

TEST_CASE("an interpreter that misses a package runs when all are linked") {
    Fixture f;
    f.python("[ -e \"$0.library\" ] || { echo no library; exit 127; }\n" + std::string(works));
    CompilePool pool(f.run, 2, f.sink, f.stop);
    const auto items = f.modules("a", 20);
    pool.open();
    pool.add("package", items);
    f.scratch.write("bin/python.library", "");
    const auto done = pool.finish();
    REQUIRE(done);
    CHECK(*done == 20);
    CHECK(f.all_there(items));
}

TEST_CASE("an interpreter that does not run at all is an error in the end") {
    Fixture f;
    f.python("echo no library; exit 127");
    CompilePool pool(f.run, 2, f.sink, f.stop);
    pool.open();
    pool.add("package", f.modules("a", 20));
    const auto done = pool.finish();
    REQUIRE_FALSE(done);
    CHECK(done.error().message.find("no library") != std::string::npos);
}

TEST_CASE("a module that the interpreter does not survive has no bytecode, and all others have") {
    Fixture f;
    f.scratch.write("bin/python", mortal, 0755);
    auto items = f.modules("a", 40);
    f.scratch.write(items[7].source, "kill = 1\n");
    f.scratch.write(items[8].source, "once = 1\n");
    f.scratch.write(items[20].source, "kill = 2\n");
    f.scratch.write(items[7].pyc, "half of it");
    const bool early = GENERATE(true, false);
    CompilePool pool(f.run, 2, f.sink, f.stop);
    if (early) pool.open();
    pool.add("package", items);
    const auto done = pool.finish();
    REQUIRE(done);
    for (std::size_t i = 0; i < items.size(); ++i) {
        INFO(i);
        CHECK(f.scratch.has(items[i].pyc) == (i != 7 && i != 20));
    }
    CHECK(f.sink.of("package").succeeded == 1);
    CHECK(f.sink.notes().find("a7.py") != std::string::npos);
    CHECK(f.sink.notes().find("a20.py") != std::string::npos);
    CHECK(f.sink.notes().find("a8.py") == std::string::npos);
    CHECK(f.sink.notes().find("memory") != std::string::npos);
}

TEST_CASE("an interpreter that survives nothing is an error in the end") {
    Fixture f;
    f.python("kill -9 $$");
    CompilePool pool(f.run, 2, f.sink, f.stop);
    pool.add("package", f.modules("a", 200));
    const auto done = pool.finish();
    REQUIRE_FALSE(done);
    CHECK(done.error().message.find("killed by signal 9") != std::string::npos);
}

TEST_CASE("a pool that is given up ends its interpreters, and says which packages are not done") {
    Fixture f;
    f.python("exec sleep 600");
    {
        CompilePool pool(f.run, 2, f.sink, f.stop);
        pool.open();
        pool.add("package", f.modules("a", 20));
        while (f.sink.of("package").begun == 0) std::this_thread::yield();
    }
    CHECK(f.sink.of("package").failed == 1);
}

TEST_CASE("a stop ends compiling") {
    Fixture f;
    f.python("exec sleep 600");
    CompilePool pool(f.run, 2, f.sink, f.stop);
    pool.add("package", f.modules("a", 20));
    f.stop = true;
    const auto done = pool.finish();
    REQUIRE_FALSE(done);
    CHECK(done.error().code == ErrorCode::cancelled);
}
