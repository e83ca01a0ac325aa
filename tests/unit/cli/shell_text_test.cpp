#include <catch2/catch.hpp>

#include "program/role.hpp"
#include "scratch.hpp"
#include "shell/rc_file.hpp"
#include "shell/shell_text.hpp"

using namespace taipan;
using namespace taipan::cli;

TEST_CASE("words of shells that no test runs", "[shell]") {
    CHECK(quoted_for(ShellKind::powershell, "it's $(x) `y` \u2019") == "'it''s $(x) `y` \u2019\u2019'");
    CHECK(quoted_for(ShellKind::xonsh, "it's\n\\ \x01") == "'it\\'s\\x0a\\\\ \\x01'");
    CHECK(quoted_for(ShellKind::nushell, "a\"b\\\n") == "\"a\\\"b\\\\\\n\"");
}

TEST_CASE("a plan as the text of shells that no test runs", "[shell]") {
    ActivationPlan plan;
    plan.path_first = "/a:/b c";
    plan.unset = {"GONE"};
    plan.set = {{"X", "it's"}};
    plan.activate_scripts = {"/p/a b.ps1"};
    CHECK(activation_text(plan, {ShellKind::powershell, "powershell"}, {}) ==
          "$Env:PATH = '/a:/b c'\n$Env:GONE = $null\n$Env:X = 'it''s'\n. '/p/a b.ps1'\n");
    CHECK(activation_text(plan, {ShellKind::xonsh, "xonsh"}, {}) ==
          "$PATH = '/a:/b c'\ntry:\n    del $GONE\nexcept KeyError:\n    pass\n$X = 'it\\'s'\n"
          "source-bash --suppress-skip-message -n '/p/a b.ps1'\n");
}

TEST_CASE("blocks in rc files", "[shell]") {
    const auto marks = block_marks(ShellKind::posix, "taipan");
    const std::string block = marks.begin + "\nnew\n" + marks.end + "\n";
    const std::string old = "a\n" + marks.begin + "\nold\n" + marks.end + "\nz\n";
    CHECK(*with_block("", marks, block) == "\n" + block);
    CHECK(*without_block("\n" + block, marks) == "");
    CHECK(*with_block("a", marks, block) == "a\n\n" + block);
    CHECK(*with_block(old, marks, block) == "a\n" + block + "z\n");
    CHECK(*without_block(*with_block("a\n", marks, block), marks) == "a\n");
    CHECK(*without_block("a\n", marks) == "a\n");
    CHECK_FALSE(with_block("echo x\n" + marks.begin + "\nold\n", marks, block));
    // Only whole lines are marks.
    CHECK(*with_block("echo '" + marks.begin + "'\n", marks, block) == "echo '" + marks.begin + "'\n\n" + block);
    CHECK(block_marks(ShellKind::powershell, "conda").begin == "#region conda initialize");
}

TEST_CASE("the root prefix that a program belongs to", "[role]") {
    const Scratch scratch;
    scratch.directory("opt/conda/conda-meta");
    scratch.directory("opt/conda/envs/tool/conda-meta");
    CHECK(root_of_program(scratch.at("opt/conda/bin/conda")) == scratch.at("opt/conda"));
    CHECK(root_of_program(scratch.at("opt/conda/condabin/conda")) == scratch.at("opt/conda"));
    CHECK(root_of_program(scratch.at("opt/conda/envs/tool/bin/taipan")) == scratch.at("opt/conda"));
    CHECK(root_of_program(scratch.at("usr/bin/taipan")) == std::nullopt);
    CHECK(role_of("/usr/bin/micromamba") == Role::micromamba);
    CHECK(role_of("/usr/bin/conda2") == Role::taipan);
}
