#include <catch2/catch.hpp>

#include <string>
#include <vector>

#include "prefix/journal.hpp"
#include "prefix/transaction.hpp"
#include "scratch.hpp"

using namespace taipan;
using Recovery = Transaction::Recovery;

namespace {

Recovery recovered(const std::string& prefix) {
    const auto result = Transaction::recover(prefix);
    if (!result) FAIL(result.error().describe());
    return *result;
}

/// A run that was killed: its object is never destroyed, only kept reachable for leak checkers.
void kill_with(Result<Transaction> transaction) {
    static auto& killed = *new std::vector<Transaction*>; // NOLINT: on purpose
    REQUIRE(transaction);
    killed.push_back(new Transaction(*std::move(transaction))); // NOLINT: same
}

/// A prefix with two files; and a change of it: one file replaced, one removed, one new in a new directory.
struct Fixture {
    Fixture() {
        scratch.write("p/conda-meta/history", "");
        scratch.write("p/lib/old", "old");
        scratch.write("p/gone/sub/file", "gone");
        scratch.symlink("p/lib/link", "old");
    }
    void change(Transaction& transaction) {
        REQUIRE(transaction.set_aside({"lib/old", "lib/link", "gone/sub/file", "lib/never-there", "no/dir/file"}));
        transaction.remove_if_empty({"gone/sub", "lib"});
        REQUIRE(transaction.created_directories({"new", "new/sub"}));
        REQUIRE(transaction.created({"lib/old", "new/sub/file", "new/not-made"}));
        scratch.write("p/lib/old", "replaced");
        scratch.write("p/new/sub/file", "new");
    }
    void check_old() {
        CHECK(scratch.read("p/lib/old") == "old");
        CHECK(scratch.link_text("p/lib/link") == "old");
        CHECK(scratch.read("p/gone/sub/file") == "gone");
        CHECK_FALSE(scratch.has("p/new"));
        CHECK_FALSE(scratch.has("p/conda-meta/.taipan-trash"));
    }
    void check_new() {
        CHECK(scratch.read("p/lib/old") == "replaced");
        CHECK_FALSE(scratch.has("p/lib/link"));
        CHECK_FALSE(scratch.has("p/gone"));
        CHECK(scratch.read("p/new/sub/file") == "new");
        CHECK_FALSE(scratch.has("p/conda-meta/.taipan-trash"));
    }
    Scratch scratch;
};

} // namespace

TEST_CASE("commit keeps the change and drops what was set aside") {
    Fixture f;
    auto transaction = Transaction::begin(f.scratch.at("p"));
    REQUIRE(transaction);
    f.change(*transaction);
    CHECK_FALSE(f.scratch.has("p/gone/sub/file"));
    CHECK(f.scratch.has("p/gone/sub"));
    REQUIRE(transaction->commit());
    f.check_new();
    CHECK(recovered(f.scratch.at("p")) == Recovery::nothing);
}

TEST_CASE("rollback, by hand or by leaving the scope, restores the prefix") {
    Fixture f;
    {
        auto transaction = Transaction::begin(f.scratch.at("p"));
        REQUIRE(transaction);
        f.change(*transaction);
        SECTION("by hand") { REQUIRE(transaction->rollback()); }
        SECTION("by destructor") {}
    }
    f.check_old();
}

TEST_CASE("what the run itself had created does not come back") {
    Fixture f;
    auto transaction = Transaction::begin(f.scratch.at("p"));
    REQUIRE(transaction->set_aside({"lib/old"}));
    REQUIRE(transaction->created({"lib/old", "lib/two"}));
    f.scratch.write("p/lib/old", "first");
    f.scratch.write("p/lib/two", "first");
    REQUIRE(transaction->set_aside({"lib/old", "lib/two"}));
    REQUIRE(transaction->created({"lib/old", "lib/two"}));
    f.scratch.write("p/lib/old", "second");
    REQUIRE(transaction->rollback());
    CHECK(f.scratch.read("p/lib/old") == "old");
    CHECK_FALSE(f.scratch.has("p/lib/two"));
}

TEST_CASE("a file that was written on to becomes as long as it was") {
    Fixture f;
    auto transaction = Transaction::begin(f.scratch.at("p"));
    f.scratch.write("p/conda-meta/log", "one");
    REQUIRE(transaction->appending("conda-meta/log"));
    SECTION("on rollback") {
        f.scratch.write("p/conda-meta/log", "one, two");
        REQUIRE(transaction->rollback());
    }
    SECTION("by the next run") {
        f.scratch.write("p/conda-meta/log", "one, two");
        kill_with(std::move(transaction));
        CHECK(recovered(f.scratch.at("p")) == Recovery::rolled_back);
    }
    SECTION("but not longer") { REQUIRE(transaction->rollback()); }
    CHECK(f.scratch.read("p/conda-meta/log") == "one");
}

TEST_CASE("what a run left that was killed before its first step is removed, and nothing else") {
    Scratch scratch;
    scratch.write("e/conda-meta/.taipan-trash/journal", "");
    SECTION("an unbegun environment") {
        CHECK(recovered(scratch.at("e")) == Recovery::rolled_back);
        CHECK_FALSE(scratch.has("e/conda-meta"));
    }
    SECTION("an environment") {
        scratch.write("e/conda-meta/history", "");
        CHECK(recovered(scratch.at("e")) == Recovery::rolled_back);
        CHECK(scratch.has("e/conda-meta/history"));
        CHECK_FALSE(scratch.has("e/conda-meta/.taipan-trash"));
    }
}

TEST_CASE("user files in new directories survive a rollback") {
    Fixture f;
    auto transaction = Transaction::begin(f.scratch.at("p"));
    f.change(*transaction);
    f.scratch.write("p/new/mine", "mine");
    REQUIRE(transaction->rollback());
    CHECK(f.scratch.read("p/new/mine") == "mine");
    CHECK_FALSE(f.scratch.has("p/new/sub"));
}

TEST_CASE("directories can be set aside") {
    Fixture f;
    auto transaction = Transaction::begin(f.scratch.at("p"));
    REQUIRE(transaction->set_aside({"gone"}));
    CHECK_FALSE(f.scratch.has("p/gone"));
    SECTION("and come back") {
        REQUIRE(transaction->rollback());
        CHECK(f.scratch.read("p/gone/sub/file") == "gone");
    }
    SECTION("or go, when something else is in their place") {
        f.scratch.write("p/gone", "a file");
        REQUIRE(transaction->commit());
        CHECK(f.scratch.read("p/gone") == "a file");
        CHECK_FALSE(f.scratch.has("p/conda-meta/.taipan-trash"));
    }
    SECTION("or are put back, for somebody has made them where a file was recorded") {
        REQUIRE(transaction->commit());
        CHECK(f.scratch.read("p/gone/sub/file") == "gone");
        CHECK_FALSE(f.scratch.has("p/conda-meta/.taipan-trash"));
    }
}

TEST_CASE("a killed run is undone, or finished if it was committed") {
    Fixture f;
    const std::string journal = f.scratch.at("p/conda-meta/.taipan-trash/journal");
    auto transaction = Transaction::begin(f.scratch.at("p"));
    REQUIRE(transaction);
    f.change(*transaction);
    kill_with(std::move(transaction));
    CHECK_FALSE(Transaction::begin(f.scratch.at("p")));

    SECTION("undone") {
        CHECK(recovered(f.scratch.at("p")) == Recovery::rolled_back);
        f.check_old();
    }
    SECTION("undone although the last announcement is torn") {
        REQUIRE(append_to_file(journal, "Flib/li"));
        CHECK(recovered(f.scratch.at("p")) == Recovery::rolled_back);
        f.check_old();
    }
    SECTION("undone when killed between announcement and deed") {
        REQUIRE(append_to_file(journal, std::string("A77:lib/old\0Dnever\0Flib/never\0", 31)));
        CHECK(recovered(f.scratch.at("p")) == Recovery::rolled_back);
        f.check_old();
    }
    SECTION("finished") {
        REQUIRE(append_to_file(journal, std::string("Egone/sub\0Elib\0C\0", 17)));
        CHECK(recovered(f.scratch.at("p")) == Recovery::rolled_forward);
        f.check_new();
    }
    SECTION("recovery itself can be repeated") {
        const auto steps = parse_steps(*read_file(journal));
        const UniqueFd prefix = f.scratch.open("p");
        const UniqueFd journal_fd(::open(journal.c_str(), O_WRONLY | O_APPEND | O_CLOEXEC));
        const std::string path = f.scratch.at("p");
        REQUIRE(undo_steps(steps, {prefix.get(), path, {}}, journal_fd.get()));
        CHECK(recovered(f.scratch.at("p")) == Recovery::rolled_back);
        f.check_old();
    }
}

TEST_CASE("a new prefix is removed as a whole") {
    Scratch scratch;
    SECTION("with its directory") {
        {
            auto transaction = Transaction::begin_new(scratch.at("envs/e"));
            REQUIRE(transaction);
            CHECK(transaction->is_new());
            scratch.write("envs/e/lib/x", "x");
            REQUIRE(transaction->created({"lib/x"}));
        }
        CHECK_FALSE(scratch.has("envs/e"));
        CHECK(scratch.has("envs"));
    }
    SECTION("but not a directory that was there") {
        scratch.directory("e");
        {
            auto transaction = Transaction::begin_new(scratch.at("e"));
            REQUIRE(transaction);
            scratch.write("e/lib/x", "x");
        }
        CHECK(scratch.has("e"));
        CHECK_FALSE(scratch.has("e/lib"));
        CHECK_FALSE(scratch.has("e/conda-meta"));
    }
    SECTION("also by the next run") {
        kill_with(Transaction::begin_new(scratch.at("e")));
        scratch.write("e/lib/x", "x");
        CHECK(recovered(scratch.at("e")) == Recovery::rolled_back);
        CHECK_FALSE(scratch.has("e"));
    }
    SECTION("and stays once committed") {
        auto transaction = Transaction::begin_new(scratch.at("e"));
        scratch.write("e/lib/x", "x");
        REQUIRE(transaction->commit());
        CHECK(scratch.read("e/lib/x") == "x");
        CHECK_FALSE(scratch.has("e/conda-meta/.taipan-trash"));
    }
    SECTION("and none is made over other files") {
        scratch.write("e/mine", "x");
        const auto refused = Transaction::begin_new(scratch.at("e"));
        REQUIRE_FALSE(refused);
        CHECK(refused.error().code == ErrorCode::environment_exists);
        CHECK(scratch.read("e/mine") == "x");
    }
}

TEST_CASE("paths that leave the prefix are never acted upon") {
    Fixture f;
    f.scratch.write("outside/x", "x");
    f.scratch.symlink("p/out", "../outside");
    auto transaction = Transaction::begin(f.scratch.at("p"));
    CHECK_FALSE(transaction->set_aside({"../outside/x"}));
    REQUIRE(transaction->set_aside({"out/x"})); // through a symlink: skipped
    CHECK(f.scratch.has("outside/x"));
    CHECK(parse_steps(std::string("F../x\0F/x\0A1:../x\0Ax:y\0?z\0Fok\0", 30)).size() == 1);
}

TEST_CASE("journal steps survive the way to disk") {
    const std::vector<JournalStep> steps{{JournalStep::Kind::file, 0, "a b\nc"},
                                         {JournalStep::Kind::aside, 12345678901, "x:y"},
                                         {JournalStep::Kind::new_prefix, 0, ""},
                                         {JournalStep::Kind::committed, 0, ""}};
    const auto parsed = parse_steps(serialise_steps(steps));
    REQUIRE(parsed.size() == 4);
    CHECK(parsed[0].path == "a b\nc");
    CHECK(parsed[1].number == 12345678901U);
    CHECK(parsed[1].path == "x:y");
    CHECK(parsed[3].kind == JournalStep::Kind::committed);
}
