#include <catch2/catch.hpp>

#include "base/temporary_name.hpp"
#include "commands/clean_scan.hpp"
#include "prefix/pip_packages.hpp"
#include "requests/target_prefix.hpp"
#include "scratch.hpp"
#include "screen/revisions.hpp"
#include "shell/activation.hpp"

using namespace taipan;
using namespace taipan::cli;

namespace {

std::string value(const ActivationPlan& plan, const std::string& name) {
    for (const auto& [key, text] : plan.set) {
        if (key == name) return text;
    }
    return "(not set)";
}

Config config_for(const Scratch& scratch) {
    Config config;
    config.root_prefix = scratch.at("root");
    config.envs_dirs = {scratch.at("root/envs")};
    config.working_directory = scratch.path;
    config.environment = {{"PATH", "/usr/bin:/bin"}};
    return config;
}

} // namespace

TEST_CASE("activation from outside", "[activation]") {
    const Scratch scratch;
    auto config = config_for(scratch);
    const auto prefix = scratch.directory("root/envs/demo");
    scratch.write("root/envs/demo/etc/conda/activate.d/b.sh", "");
    scratch.write("root/envs/demo/etc/conda/activate.d/a.sh", "");
    scratch.write("root/envs/demo/conda-meta/state", R"({"env_vars": {"X": "1", "Y": "***unset***"}})");
    const auto plan = plan_activation(prefix, config);
    REQUIRE(plan);
    CHECK(value(*plan, "PATH") == prefix + "/bin:" + scratch.at("root") + "/condabin:/usr/bin:/bin");
    CHECK(value(*plan, "CONDA_PREFIX") == prefix);
    CHECK(value(*plan, "CONDA_SHLVL") == "1");
    CHECK(value(*plan, "CONDA_DEFAULT_ENV") == "demo");
    CHECK(value(*plan, "CONDA_PROMPT_MODIFIER") == "(demo) ");
    CHECK(value(*plan, "X") == "1");
    CHECK(plan->unset == std::vector<std::string>{"Y"});
    REQUIRE(plan->activate_scripts.size() == 2);
    CHECK(plan->activate_scripts[0].ends_with("/a.sh"));
}

TEST_CASE("activation over an active environment replaces its PATH entry", "[activation]") {
    const Scratch scratch;
    auto config = config_for(scratch);
    const auto old_prefix = scratch.directory("root/envs/old"), prefix = scratch.directory("root/envs/new");
    scratch.write("root/envs/old/etc/conda/deactivate.d/1.sh", "");
    scratch.write("root/envs/old/etc/conda/deactivate.d/2.sh", "");
    config.environment = {
        {"PATH", "/first:" + old_prefix + "/bin:/usr/bin"}, {"CONDA_PREFIX", old_prefix}, {"CONDA_SHLVL", "1"}};
    const auto plan = plan_activation(prefix, config);
    REQUIRE(plan);
    CHECK(value(*plan, "PATH") == "/first:" + prefix + "/bin:/usr/bin");
    CHECK(value(*plan, "CONDA_PREFIX_1") == old_prefix);
    CHECK(value(*plan, "CONDA_SHLVL") == "2");
    REQUIRE(plan->deactivate_scripts.size() == 2);
    CHECK(plan->deactivate_scripts[0].ends_with("/2.sh"));
    config.environment["CONDA_PREFIX"] = prefix;
    CHECK(value(*plan_activation(prefix, config), "CONDA_SHLVL") == "1");
}

TEST_CASE("a command is wrapped in a shell only when there are scripts", "[activation]") {
    ActivationPlan plan;
    plan.set = {{"A", "it's"}};
    plan.unset = {"B"};
    const auto plain = wrap_command(plan, {"/bin/echo", "x"}, {{"B", "1"}, {"C", "2"}});
    CHECK(plain.arguments == std::vector<std::string>{"/bin/echo", "x"});
    CHECK(plain.environment == std::map<std::string, std::string>{{"A", "it's"}, {"C", "2"}});
    plan.activate_scripts = {"/p/a b.sh"};
    const auto wrapped = wrap_command(plan, {"echo", "x"}, {{"PATH", "/bin:/usr/bin"}});
    REQUIRE(wrapped.arguments.size() == 6);
    CHECK(wrapped.arguments[2] == "unset B\nexport A='it'\\''s'\n. '/p/a b.sh'\nexec \"$@\"\n");
    CHECK(wrapped.arguments[4] == "echo");
}

TEST_CASE("names of environments", "[target]") {
    for (const auto* name : {"", ".", "..", "a/b", "a:b", "a#b"}) {
        CHECK_FALSE(validate_environment_name(name, Role::taipan));
        CHECK_FALSE(validate_environment_name(name, Role::mamba));
    }
    CHECK_FALSE(validate_environment_name("a b", Role::conda));
    CHECK(validate_environment_name("a b", Role::micromamba));
    CHECK(validate_environment_name("my-env_1.0", Role::taipan));
}

TEST_CASE("-n finds the first existing directory, else the first writable one", "[target]") {
    const Scratch scratch;
    auto config = config_for(scratch);
    config.envs_dirs = {scratch.at("one"), scratch.directory("two")};
    scratch.directory("two/here");
    Console console{Terminal{}};
    Invocation invocation{{}, {}, scratch.path, console};
    CommonOptions options;
    options.name = "here";
    CHECK(*resolve_target(invocation, options, config, WithoutTarget::fail) == scratch.at("two/here"));
    options.name = "fresh";
    CHECK(*resolve_target(invocation, options, config, WithoutTarget::fail) == scratch.at("one/fresh"));
    options.name = "base";
    CHECK(*resolve_target(invocation, options, config, WithoutTarget::fail) == config.root_prefix);
    options.name.clear();
    CHECK_FALSE(resolve_target(invocation, options, config, WithoutTarget::fail));
    CHECK(*resolve_target(invocation, options, config, WithoutTarget::active_or_root) == config.root_prefix);
    invocation.environment["CONDA_PREFIX"] = "/active";
    CHECK(*resolve_target(invocation, options, config, WithoutTarget::active_or_root) == "/active");
    options.prefix = "rel/../p";
    CHECK(*resolve_target(invocation, options, config, WithoutTarget::fail) == scratch.at("p"));
    CHECK(selecting_words(scratch.at("two/here"), config) == "-n here");
    CHECK(selecting_words("/else/where", config) == "-p /else/where");
}

TEST_CASE("what can be cleaned", "[clean]") {
    const Scratch scratch;
    scratch.write("a-1-0.conda", "12345");
    scratch.write("used-1-0/info/index.json", "{}");
    scratch.write("used-1-0/lib/x", "abc");
    REQUIRE(::link(scratch.at("used-1-0/lib/x").c_str(), scratch.at("elsewhere").c_str()) == 0);
    scratch.write("unused-1-0/info/index.json", "{}");
    scratch.write("no-package/file", "x");
    scratch.write("cache/abc.json", "{}");
    scratch.write("other.lock", "");
    scratch.write(".taipan.lock", "");
    scratch.write(".taipan-spool-" + std::to_string(run_number()) + "-0", "mine");
    scratch.write(".taipan-a-1-0-999999999-3/part", "dead");
    std::map<std::string, CacheItemKind> found;
    for (const auto& item : scan_cache(scratch.path, std::time(nullptr))) found.emplace(item.name, item.kind);
    CHECK(found == std::map<std::string, CacheItemKind>{{".taipan-a-1-0-999999999-3", CacheItemKind::leftover},
                                                        {"a-1-0.conda", CacheItemKind::tarball},
                                                        {"cache", CacheItemKind::index},
                                                        {"other.lock", CacheItemKind::lock},
                                                        {"unused-1-0", CacheItemKind::package}});
}

TEST_CASE("packages of pip are those that no conda record lists", "[pip]") {
    const Scratch scratch;
    const std::string site = "lib/python3.11/site-packages/";
    const auto metadata = [](const std::string& name) {
        return "Metadata-Version: 2.1\nName: " + name + "\nVersion: 1.2\n\nVersion: 9\n";
    };
    scratch.write(site + "Baz_Pip-1.2.dist-info/METADATA", metadata("Baz_Pip"));
    scratch.write(site + "bare-1.2.dist-info/METADATA", metadata("bare"));
    for (const auto* name : {"Baz_Pip", "owned", "marked", "broken"}) {
        scratch.write(site + name + "-1.2.dist-info/RECORD", "");
    }
    scratch.write(site + "owned-1.2.dist-info/METADATA", metadata("owned"));
    scratch.write(site + "marked-1.2.dist-info/METADATA", metadata("marked"));
    scratch.write(site + "marked-1.2.dist-info/INSTALLER", "conda\n");
    scratch.write(site + "broken-1.2.dist-info/METADATA", "no headers here");
    PrefixData data;
    data.prefix = scratch.path;
    for (const auto* name : {"owned", "python"}) {
        PrefixRecord record;
        record.package.name = name;
        record.package.version = std::string(name) == "python" ? "3.11.2" : "1.2";
        record.package.build = "0";
        data.records.push_back(record);
    }
    // Wherever in a long record the line is.
    const std::size_t before = GENERATE(0U, 32'700U, 32'730U, 32'767U, 100'000U);
    scratch.write("conda-meta/owned-1.2-0.json",
                  "{" + std::string(before, ' ') + "\"files\": [\"" + site + "owned-1.2.dist-info/RECORD\"]}");
    const auto packages = pip_packages(data);
    REQUIRE(packages);
    REQUIRE(packages->size() == 1);
    CHECK(packages->front().name == "baz-pip");
    CHECK(packages->front().version == "1.2");
    CHECK(packages->front().build == "pypi_0");
    CHECK(packages->front().channel_name == "pypi");
}

TEST_CASE("revisions tell what each run changed", "[revisions]") {
    HistoryBlock block;
    block.date = "2026-11-22 19:59:03";
    block.removed = {"cf/linux-64::python-3.11.9-0", "cf/noarch::gone-1-0"};
    block.added = {"cf/linux-64::python-3.10.1-0", "cf/noarch::fresh-2-0"};
    CHECK(revisions_text({block}) == "2026-11-22 19:59:03  (rev 0)\n"
                                     "     python  {3.11.9 (cf/linux-64) -> 3.10.1 (cf/linux-64)}\n"
                                     "    -gone-1 (cf/noarch)\n"
                                     "    +fresh-2 (cf/noarch)\n\n");
}
