#include <catch2/catch.hpp>

#include <string>

#include "link/link_scripts.hpp"
#include "scratch.hpp"

using namespace taipan;

namespace {

struct Fixture {
    Fixture() {
        package.name = "foo";
        package.version = "1.0";
        package.build = "h_3";
        package.build_number = 3;
        scratch.directory("envs/e/bin");
        scratch.directory("pkg/bin");
        context.prefix = scratch.at("envs/e");
        context.root_prefix = "/root-prefix";
        context.package_dir = scratch.at("pkg");
        context.environment = {{"PATH", "/usr/bin:/bin"}, {"KEPT", "yes"}, {"GONE", "x"}};
    }
    Scratch scratch;
    PackageRecord package;
    LinkScriptContext context;
};

} // namespace

TEST_CASE("a package without scripts runs none") {
    Fixture f;
    for (const LinkScript kind : {LinkScript::pre_link, LinkScript::post_link, LinkScript::pre_unlink}) {
        const auto outcome = run_link_script(kind, f.package, f.context);
        REQUIRE(outcome);
        CHECK_FALSE(outcome->ran);
    }
    CHECK(link_script_path(LinkScript::post_link, "foo") == "bin/.foo-post-link.sh");
}

TEST_CASE("post-link runs in the activated environment and its messages are taken") {
    Fixture f;
    f.scratch.write("envs/e/etc/conda/activate.d/b.sh", "export ACT=\"$ACT b\"\n");
    f.scratch.write("envs/e/etc/conda/activate.d/a.sh", "export ACT=a\n");
    f.scratch.write("envs/e/etc/conda/deactivate.d/a.sh", "echo off-a >> \"$PREFIX/log\"\n");
    f.scratch.write("envs/e/etc/conda/deactivate.d/b c.sh", "echo off-b >> \"$PREFIX/log\"\n");
    f.scratch.write(
        "envs/e/bin/.foo-post-link.sh",
        "echo \"$PKG_NAME $PKG_VERSION $PKG_BUILDNUM $ROOT_PREFIX $ACT $KEPT ${GONE:-gone} $SET\" > \"$PREFIX/log\"\n"
        "echo \"$CONDA_PREFIX|$CONDA_DEFAULT_ENV|$CONDA_SHLVL|$PATH|$(pwd)\" >> \"$PREFIX/log\"\n"
        "echo hello >> \"$PREFIX/.messages.txt\"\n"
        "echo loud\n"
        "exit 0\n");
    f.context.prefix_variables = {{"SET", "v"}, {"GONE", "***unset***"}};
    const auto outcome = run_link_script(LinkScript::post_link, f.package, f.context);
    REQUIRE(outcome);
    CHECK(outcome->ran);
    CHECK(outcome->messages == "hello\n");
    CHECK(outcome->output == "loud\n");
    CHECK_FALSE(f.scratch.has("envs/e/.messages.txt"));
    const std::string prefix = f.scratch.at("envs/e");
    CHECK(f.scratch.read("envs/e/log") == "foo 1.0 3 /root-prefix a b yes gone v\n" + prefix + "|e|1|" + prefix +
                                              "/bin:/usr/bin:/bin|" + prefix + "/bin\noff-b\noff-a\n");
}

TEST_CASE("a failing post-link script is an error with what it said") {
    Fixture f;
    f.scratch.write("envs/e/bin/.foo-post-link.sh",
                    "i=0; while [ $i -lt 50 ]; do echo line $i; i=$((i + 1)); done; echo reason >&2; "
                    "echo note > \"$PREFIX/.messages.txt\"; exit 7\n");
    const auto outcome = run_link_script(LinkScript::post_link, f.package, f.context);
    REQUIRE_FALSE(outcome);
    CHECK(outcome.error().code == ErrorCode::link_script_failed);
    const std::string& message = outcome.error().message;
    CHECK(message.find("foo-1.0-h_3") != std::string::npos);
    CHECK(message.find("status 7") != std::string::npos);
    CHECK(message.find("reason") != std::string::npos);
    CHECK(message.find("line 49") != std::string::npos);
    CHECK(message.find("line 20\n") == std::string::npos);
    CHECK(message.find("note") != std::string::npos);
    CHECK_FALSE(f.scratch.has("envs/e/.messages.txt"));
}

TEST_CASE("pre-link runs in the package, a failing pre-unlink is a warning") {
    Fixture f;
    f.scratch.write("pkg/bin/.foo-pre-link.sh", "echo \"$SOURCE_DIR|$PREFIX|$PATH|$CONDA_PREFIX\" > \"$PREFIX/log\"\n");
    REQUIRE(run_link_script(LinkScript::pre_link, f.package, f.context));
    CHECK(f.scratch.read("envs/e/log") ==
          f.scratch.at("pkg") + "|" + f.scratch.at("envs/e") + "|" + f.scratch.at("pkg/bin") + ":/usr/bin:/bin|\n");
    f.scratch.write("pkg/bin/.foo-pre-link.sh", "exit 1\n");
    CHECK_FALSE(run_link_script(LinkScript::pre_link, f.package, f.context));
    f.scratch.write("envs/e/bin/.foo-pre-unlink.sh", "echo bye; exit 1\n");
    const auto outcome = run_link_script(LinkScript::pre_unlink, f.package, f.context);
    REQUIRE(outcome);
    REQUIRE(outcome->warnings.size() == 1);
    CHECK(outcome->warnings[0].find("bye") != std::string::npos);
}

TEST_CASE("words are quoted for the shell") {
    CHECK(shell_quote("a b") == "'a b'");
    CHECK(shell_quote("it's") == "'it'\\''s'");
}
