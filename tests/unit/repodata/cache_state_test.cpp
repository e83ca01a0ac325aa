#include <catch2/catch.hpp>

#include <cstdlib>
#include <filesystem>

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/filesystem.hpp"
#include "repodata/cache_state.hpp"

using namespace taipan;

namespace {

/// A directory that goes away with the test.
struct TemporaryDirectory {
    TemporaryDirectory() {
        std::string pattern = std::filesystem::temp_directory_path() / "taipan-test-XXXXXX";
        if (mkdtemp(pattern.data()) == nullptr) FAIL("no temporary directory");
        path = pattern;
    }
    TemporaryDirectory(const TemporaryDirectory&) = delete;
    TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;
    ~TemporaryDirectory() { std::filesystem::remove_all(path); }
    std::string path;
};

constexpr std::int64_t second = 1'000'000'000;
constexpr std::int64_t now = 1'795'378'116 * second;

} // namespace

TEST_CASE("cache keys are conda's", "[repodata]") {
    const std::string forge = "https://conda.anaconda.org/conda-forge/";
    const std::string main = "https://repo.anaconda.com/pkgs/main/";
    CHECK(repodata_cache_key(forge + "linux-64") == "497deca9");
    CHECK(repodata_cache_key(forge + "noarch/") == "09cdf8bf");
    CHECK(repodata_cache_key(main + "linux-64") == "47929eba");
    CHECK(repodata_cache_key(main + "noarch") == "3e39a7aa");
    CHECK(repodata_cache_key("https://repo.anaconda.com/pkgs/r/linux-64") == "2ce54b42");
    CHECK(repodata_cache_key("https://conda.anaconda.org/bioconda/noarch") == "2a957770");
    CHECK(repodata_cache_key(forge + "linux-64", "current_repodata.json") == "18414ddb");
    CHECK(repodata_cache_key("file:///tmp/chan/linux-64") == "7f89f758");
    CHECK(repodata_cache_key("file:///tmp/chan/linux-64", "repodata.json", true) == "7f89f7581");
}

TEST_CASE("a state survives writing and reading", "[repodata]") {
    RepodataState state;
    state.url = "https://conda.anaconda.org/conda-forge/linux-64";
    state.etag = "W/\"abc\"";
    state.mod = "Sun, 22 Nov 2026 19:56:56 GMT";
    state.cache_control = "public, max-age=30";
    state.mtime_ns = 1795378116249240403;
    state.size = 1610;
    state.refresh_ns = 1795378116261413540;
    state.has_zst = RememberedAnswer{true, "2026-11-22T19:56:56.123456Z"};
    const auto text = format_repodata_state(state);
    CHECK(text.starts_with("{\n  \"url\": \"https://conda"));
    CHECK(text.find("\"etag\": \"W/\\\"abc\\\"\"") != std::string::npos);
    const auto read = parse_repodata_state(text);
    REQUIRE(read);
    CHECK(read->url == state.url);
    CHECK(read->etag == state.etag);
    CHECK(read->mod == state.mod);
    CHECK(read->cache_control == state.cache_control);
    CHECK(read->mtime_ns == state.mtime_ns);
    CHECK(read->size == state.size);
    CHECK(read->refresh_ns == state.refresh_ns);
    REQUIRE(read->has_zst);
    CHECK(read->has_zst->value);
    CHECK(read->has_zst->last_checked == state.has_zst->last_checked);
    CHECK_FALSE(read->has_shards);
}

TEST_CASE("odd states", "[repodata]") {
    const auto odd =
        parse_repodata_state(R"({"etag": null, "size": "x", "other": [1], "has_zst": {"value": 1}, "mod": "m"})");
    REQUIRE(odd);
    CHECK(odd->etag.empty());
    CHECK(odd->size == 0);
    CHECK(odd->mod == "m");
    CHECK_FALSE(odd->has_zst);
    CHECK_FALSE(parse_repodata_state(""));
    CHECK_FALSE(parse_repodata_state("[]"));
    CHECK_FALSE(parse_repodata_state("{"));
}

TEST_CASE("validators count only for the json they were written for", "[repodata]") {
    const TemporaryDirectory directory;
    const auto paths = repodata_cache_paths(directory.path, "0123abcd");
    CHECK(paths.json == directory.path + "/0123abcd.json");
    CHECK(paths.state == directory.path + "/0123abcd.info.json");
    CHECK_FALSE(load_repodata_state(paths));

    RepodataState state;
    state.url = "https://example.org/c/linux-64";
    state.etag = "\"1\"";
    state.refresh_ns = now;
    state.has_zst = RememberedAnswer{true, format_utc_timestamp(now)};
    REQUIRE(write_file_atomic(paths.json, "{\"packages\":{}}"));
    REQUIRE(save_repodata_state(paths, state));
    CHECK(state.size == 15);
    auto loaded = load_repodata_state(paths);
    REQUIRE(loaded);
    CHECK(loaded->etag == "\"1\"");
    CHECK(loaded->refresh_ns == now);

    REQUIRE(write_file_atomic(paths.json, "{\"packages\":{}, \"removed\":[]}")); // somebody else
    loaded = load_repodata_state(paths);
    REQUIRE(loaded);
    CHECK(loaded->etag.empty());
    CHECK(loaded->refresh_ns == 0);
    CHECK(loaded->has_zst); // still true of the server

    REQUIRE(write_file_atomic(paths.state, "not json"));
    loaded = load_repodata_state(paths);
    REQUIRE(loaded);
    CHECK(loaded->etag.empty());
}

TEST_CASE("freshness", "[repodata]") {
    RepodataState state;
    state.url = "https://example.org/c/linux-64";
    state.cache_control = "public, max-age=30";
    state.refresh_ns = now;
    CHECK(is_fresh(state, 1, now));
    CHECK(is_fresh(state, 1, now + 29 * second));
    CHECK_FALSE(is_fresh(state, 1, now + 30 * second));
    CHECK_FALSE(is_fresh(state, 1, now - second)); // the clock went back
    CHECK_FALSE(is_fresh(state, 0, now));
    CHECK(is_fresh(state, 100, now + 99 * second));
    CHECK_FALSE(is_fresh(state, 100, now + 100 * second));
    CHECK(is_fresh(state, std::int64_t{1} << 62, now + second));
    state.refresh_ns = 0;
    CHECK_FALSE(is_fresh(state, 100, second));
    state.refresh_ns = now;
    state.url = "file:///tmp/c/linux-64";
    CHECK_FALSE(is_fresh(state, 100, now));
}

TEST_CASE("max-age", "[repodata]") {
    CHECK(max_age_seconds("public, max-age=1200") == 1200);
    CHECK(max_age_seconds("Max-Age=\"60\"") == 60);
    CHECK(max_age_seconds("max-age=60, no-cache") == 0);
    CHECK(max_age_seconds("no-store") == 0);
    CHECK(max_age_seconds("s-maxage=60") == 0);
    CHECK(max_age_seconds("max-age=-5") == 0);
    CHECK(max_age_seconds("max-age=") == 0);
    CHECK(max_age_seconds("") == 0);
}

TEST_CASE("remembered answers hold for a week", "[repodata]") {
    const RememberedAnswer answer{true, format_utc_timestamp(now)};
    CHECK(answer.last_checked == "2026-11-22T20:08:36.000000Z");
    constexpr std::int64_t day = 86'400 * second;
    CHECK(still_holds(answer, now));
    CHECK(still_holds(answer, now + 7 * day - second));
    CHECK_FALSE(still_holds(answer, now + 7 * day));
    CHECK_FALSE(still_holds(answer, now - day));
    CHECK_FALSE(still_holds(RememberedAnswer{true, "yesterday"}, now));
    CHECK_FALSE(still_holds(RememberedAnswer{true, "2026-13-40T00:00:00"}, now));
    CHECK_FALSE(still_holds(std::nullopt, now));
}

TEST_CASE("the lock is conda's: byte 21 of the state file", "[repodata]") {
    const TemporaryDirectory directory;
    const auto paths = repodata_cache_paths(directory.path, "k");
    const auto locked_for_others = [&] {
        const pid_t child = fork();
        if (child == 0) {
            const int fd = open(paths.state.c_str(), O_RDWR);
            struct flock range {};
            range.l_type = F_WRLCK;
            range.l_whence = SEEK_SET;
            range.l_start = 21;
            range.l_len = 1;
            _exit(fcntl(fd, F_SETLK, &range) == 0 ? 0 : 1);
        }
        int status = 0;
        REQUIRE(waitpid(child, &status, 0) == child);
        return WEXITSTATUS(status) == 1;
    };
    {
        auto lock = RepodataLock::acquire(paths, 1);
        REQUIRE(lock);
        CHECK(locked_for_others());
        static_cast<void>(load_repodata_state(paths)); // opens and closes the file: must not drop the lock
        static_cast<void>(read_file(paths.state));
        CHECK(locked_for_others());
        const auto second_lock = RepodataLock::acquire(paths, 0.05);
        REQUIRE_FALSE(second_lock);
        CHECK(second_lock.error().code == ErrorCode::locked);
    }
    CHECK_FALSE(locked_for_others());
}
