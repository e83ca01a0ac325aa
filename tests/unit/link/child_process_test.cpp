#include <catch2/catch.hpp>

#include <atomic>
#include <chrono>
#include <csignal>
#include <string>

#include "link/child_process.hpp"
#include "scratch.hpp"

using namespace taipan;

namespace {

ChildCommand shell(const std::string& text) {
    ChildCommand command;
    command.arguments = {"/bin/sh", "-c", text};
    command.environment = {{"PATH", "/usr/bin:/bin"}, {"A", "1"}};
    return command;
}

} // namespace

TEST_CASE("a child gets exactly its environment, directory and input") {
    Scratch scratch;
    ChildCommand command = shell("pwd; env | sort | grep -v '^PWD\\|^_\\|^SHLVL\\|^OLDPWD'; cat; echo err >&2");
    command.working_directory = scratch.path;
    command.input = "in\n";
    const auto result = run_child(command);
    REQUIRE(result);
    CHECK(result->exit_status == 0);
    CHECK(result->output == scratch.path + "\nA=1\nPATH=/usr/bin:/bin\nin\nerr\n");
}

TEST_CASE("exit status, signals and programs that are not there") {
    CHECK(run_child(shell("exit 3"))->exit_status == 3);
    CHECK(run_child(shell("kill -9 $$"))->exit_status == 137);
    ChildCommand none;
    none.arguments = {"/nonexistent/program"};
    const auto missing = run_child(none);
    REQUIRE_FALSE(missing);
    CHECK(missing.error().message.find("/nonexistent/program") != std::string::npos);
}

TEST_CASE("a child that does not read its input, or is flooded, does not block us") {
    const std::string much(4 << 20, 'x');
    ChildCommand deaf = shell("exit 0");
    deaf.input = much;
    CHECK(run_child(deaf)->exit_status == 0);
    ChildCommand count = shell("wc -c");
    count.input = much;
    CHECK(std::stoul(run_child(count)->output) == much.size());
    ChildCommand echo = shell("cat; echo end");
    echo.input = much;
    echo.output_limit = 1000;
    const auto result = run_child(echo);
    REQUIRE(result);
    CHECK(result->output.size() == 1000);
    CHECK(result->output.ends_with("x"
                                   "end\n"));
}

TEST_CASE("a child that closes its output is still waited for") {
    const auto result = run_child(shell("echo said; exec >&- 2>&-; sleep 0.1; exit 5"));
    REQUIRE(result);
    CHECK(result->exit_status == 5);
    CHECK(result->output == "said\n");
}

TEST_CASE("a child is stopped with all that it has started") {
    std::atomic<bool> stop{true};
    ChildCommand command = shell("sleep 100 & sleep 100");
    command.stop = &stop;
    const auto begin = std::chrono::steady_clock::now();
    const auto result = run_child(command);
    REQUIRE_FALSE(result);
    CHECK(result.error().code == ErrorCode::cancelled);
    CHECK(std::chrono::steady_clock::now() - begin < std::chrono::seconds(10));
}

TEST_CASE("a grandchild that keeps the output open does not hold us") {
    const auto begin = std::chrono::steady_clock::now();
    const auto result = run_child(shell("sleep 60 & echo $!; exit 4"));
    REQUIRE(result);
    CHECK(result->exit_status == 4);
    CHECK(std::chrono::steady_clock::now() - begin < std::chrono::seconds(30));
    CHECK(::kill(std::stoi(result->output), SIGKILL) == 0); // it was let live, as a daemon would be
}
