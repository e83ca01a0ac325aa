#include <catch2/catch.hpp>

#include "base/filesystem.hpp"
#include "config/config.hpp"
#include "config/config_keys.hpp"
#include "config/config_sources.hpp"
#include "scratch.hpp"

using namespace taipan;

namespace {

ConfigSource source_of(const std::string& text, const std::string& path = "/rc") {
    std::vector<std::string> warnings;
    auto source = parse_rc_text(text, path, {{"PLACE", "here"}}, warnings);
    REQUIRE(source);
    return std::move(*source);
}

std::vector<std::string> texts(const YamlValue& value) {
    std::vector<std::string> out;
    for (const auto& item : value.items) out.push_back(item.text);
    return out;
}

ConfigRequest bare_request(const std::string& home) {
    ConfigRequest request;
    request.environment = {{"HOME", home}};
    request.working_directory = home;
    request.root_prefix = home + "/root";
    return request;
}

} // namespace

TEST_CASE("sequences of later sources come first, duplicates go", "[config]") {
    const std::vector<ConfigSource> sources = {source_of("channels: [a, b]"), source_of("channels: [c, a]")};
    CHECK(texts(merged_value(sources, "channels")) == std::vector<std::string>{"c", "a", "b"});
}

TEST_CASE("item flags force the position", "[config]") {
    const std::vector<ConfigSource> sources = {source_of("channels:\n  - a  #!top\n  - b\n"),
                                               source_of("channels:\n  - c  #!bottom\n  - d\n")};
    CHECK(texts(merged_value(sources, "channels")) == std::vector<std::string>{"a", "d", "b", "c"});
}

TEST_CASE("a final value is not overridden", "[config]") {
    const std::vector<ConfigSource> sources = {source_of("offline: true  #!final\n"), source_of("offline: false\n")};
    CHECK(merged_value(sources, "offline").text == "true");
    const std::vector<ConfigSource> open = {source_of("offline: true\n"), source_of("offline: false\n")};
    CHECK(merged_value(open, "offline").text == "false");
}

TEST_CASE("maps are merged key by key", "[config]") {
    const std::vector<ConfigSource> sources = {source_of("custom_channels: {a: one, b: two}"),
                                               source_of("custom_channels: {b: three}")};
    const auto merged = merged_value(sources, "custom_channels");
    REQUIRE(merged.members.size() == 2);
    CHECK(merged.find("a")->text == "one");
    CHECK(merged.find("b")->text == "three");
}

TEST_CASE("null means not set", "[config]") {
    const std::vector<ConfigSource> sources = {source_of("channels: [a]"), source_of("channels:\n")};
    CHECK(texts(merged_value(sources, "channels")) == std::vector<std::string>{"a"});
}

TEST_CASE("variables are expanded in values", "[config]") {
    CHECK(source_of("channel_alias: https://$PLACE/${PLACE}/$NOWHERE").values.at("channel_alias").value.text ==
          "https://here/here/$NOWHERE");
}

TEST_CASE("a key beside its alias is refused, an unknown key is noted", "[config]") {
    std::vector<std::string> warnings;
    const auto both = parse_rc_text("channels: [a]\nchannel: [b]\n", "/the/rc", {}, warnings);
    REQUIRE_FALSE(both);
    CHECK(both.error().message.find("/the/rc") == 0);
    REQUIRE(parse_rc_text("chanels: [a]\n", "/the/rc", {}, warnings));
    REQUIRE(warnings.size() == 1);
    CHECK(warnings.front().find("chanels") != std::string::npos);
}

TEST_CASE("values of the wrong type name the key", "[config]") {
    Config config;
    const auto apply = [&](const std::string& key, const std::string& text) {
        return apply_config_value(*find_config_key(key), source_of(key + ": " + text).values.at(key).value, config);
    };
    CHECK(apply("offline", "YES"));
    CHECK(config.offline);
    CHECK(apply("channel_priority", "strict"));
    CHECK(config.channel_priority == ChannelPriority::strict);
    CHECK(apply("channel_priority", "false"));
    CHECK(config.channel_priority == ChannelPriority::disabled);
    CHECK(apply("remote_max_retries", "7"));
    CHECK(config.remote_max_retries == 7);
    CHECK(apply("extract_threads", "-1"));
    CHECK(config.worker_threads == 0);
    for (const auto& [key, text] :
         {std::pair("offline", "maybe"), std::pair("remote_max_retries", "many"), std::pair("safety_checks", "loud"),
          std::pair("channels", "{a: b}"), std::pair("proxy_servers", "[a]")}) {
        const auto failed = apply(key, text);
        REQUIRE_FALSE(failed);
        CHECK(failed.error().message.find(key) != std::string::npos);
    }
}

TEST_CASE("load_config reads the files of the home directory and the variables", "[config]") {
    const Scratch scratch;
    REQUIRE(make_directories(scratch.path + "/.config/conda/condarc.d"));
    REQUIRE(write_file_atomic(scratch.path + "/.condarc", "channels: [home]\npkgs_dirs: ['~/p']\n"));
    REQUIRE(write_file_atomic(scratch.path + "/.config/conda/condarc.d/b.yml", "channels: [second]\n"));
    REQUIRE(write_file_atomic(scratch.path + "/.config/conda/condarc.d/a.yml", "channels: [first]\n"));
    auto request = bare_request(scratch.path);
    request.environment["CONDA_CHANNELS"] = "one, two";
    request.environment["CONDA_ENVS_DIRS"] = "/e1:/e2";
    const auto config = load_config(request);
    REQUIRE(config);
    CHECK(config->channels == std::vector<std::string>{"one", "two", "home", "second", "first"});
    CHECK(config->pkgs_dirs == std::vector<std::string>{scratch.path + "/p"});
    CHECK(config->envs_dirs == std::vector<std::string>{"/e1", "/e2", scratch.path + "/root/envs"});
    CHECK(config->sources.size() == 3);

    request.no_rc = true;
    const auto without = load_config(request);
    REQUIRE(without);
    CHECK(without->channels == std::vector<std::string>{"one", "two"});
    CHECK(without->pkgs_dirs == std::vector<std::string>{scratch.path + "/root/pkgs", scratch.path + "/.mamba/pkgs"});
}

TEST_CASE("--rc-file replaces the search, and broken YAML names the file", "[config]") {
    const Scratch scratch;
    REQUIRE(write_file_atomic(scratch.path + "/.condarc", "channels: [home]\n"));
    REQUIRE(write_file_atomic(scratch.path + "/mine.yml", "channels: [mine]\n"));
    auto request = bare_request(scratch.path);
    request.rc_files = {"mine.yml"};
    const auto config = load_config(request);
    REQUIRE(config);
    CHECK(config->channels == std::vector<std::string>{"mine"});

    REQUIRE(write_file_atomic(scratch.path + "/mine.yml", "channels: [mine\n"));
    const auto broken = load_config(request);
    REQUIRE_FALSE(broken);
    CHECK(broken.error().code == ErrorCode::parse);
    CHECK(broken.error().message.find("mine.yml") != std::string::npos);
}

TEST_CASE("the root prefix is where micromamba has it", "[config]") {
    const Scratch scratch;
    ConfigRequest request;
    request.environment = {{"HOME", scratch.path}};
    request.working_directory = scratch.path;
    CHECK(load_config(request)->root_prefix == scratch.path + "/.local/share/mamba");
    request.environment["XDG_DATA_HOME"] = "/data";
    CHECK(load_config(request)->root_prefix == "/data/mamba");
    REQUIRE(make_directories(scratch.path + "/micromamba"));
    CHECK(load_config(request)->root_prefix == "/data/mamba");
    REQUIRE(make_directories(scratch.path + "/micromamba/envs"));
    CHECK(load_config(request)->root_prefix == scratch.path + "/micromamba");
    request.environment["MAMBA_ROOT_PREFIX"] = "~/else";
    CHECK(load_config(request)->root_prefix == scratch.path + "/else");
    request.root_prefix = "given";
    CHECK(load_config(request)->root_prefix == scratch.path + "/given");
}

TEST_CASE("a target prefix's own settings count", "[config]") {
    const Scratch scratch;
    REQUIRE(make_directories(scratch.path + "/env"));
    REQUIRE(write_file_atomic(scratch.path + "/env/.condarc", "subdir: linux-aarch64\n"));
    auto request = bare_request(scratch.path);
    request.target_prefix = scratch.path + "/env";
    CHECK(load_config(request)->subdir == "linux-aarch64");
}
