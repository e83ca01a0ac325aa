#include <catch2/catch.hpp>

#include <string>

#include <sys/stat.h>

#include "base/filesystem.hpp"
#include "cache/package_cache.hpp"
#include "model/record_json.hpp"
#include "scratch.hpp"

using namespace taipan;

namespace {

PackageRecord record() {
    PackageRecord made;
    made.name = "foo";
    made.version = "1.0";
    made.build = "0";
    made.channel = "https://host/chan";
    made.channel_name = "https://host/chan";
    made.subdir = "noarch";
    made.fn = "foo-1.0-0.conda";
    made.url = "https://host/chan/noarch/foo-1.0-0.conda";
    made.sha256 = std::string(64, 'a');
    made.md5 = std::string(32, 'b');
    made.size = 3;
    return made;
}

void publish(const PackageCache& cache, const PackageRecord& package, KnownPackage known = {}) {
    auto staged = cache.stage(package);
    REQUIRE(staged);
    REQUIRE(make_directories(staged->path() + "/info"));
    REQUIRE(write_file_atomic(staged->path() + "/info/index.json", "{}"));
    REQUIRE(cache.publish_extracted(std::move(*staged), package, known));
}

struct stat status_of(const std::string& path) {
    struct stat status {};
    REQUIRE(::lstat(path.c_str(), &status) == 0);
    return status;
}

} // namespace

TEST_CASE("a published package is found again, an unpublished one is not") {
    const Scratch directory;
    const auto cache = PackageCache::open({directory.path + "/pkgs"});
    REQUIRE(cache);
    CHECK(exists(directory.path + "/pkgs/urls.txt"));
    CHECK_FALSE(cache->find_extracted(record()));
    publish(*cache, record());
    CHECK(cache->find_extracted(record()) == directory.path + "/pkgs/foo-1.0-0");
}

TEST_CASE("another package of the same name and build is not mistaken for ours") {
    const Scratch directory;
    const auto cache = PackageCache::open({directory.path});
    REQUIRE(cache);
    publish(*cache, record());
    auto other = record();
    other.sha256 = std::string(64, 'c');
    CHECK_FALSE(cache->find_extracted(other));
    publish(*cache, other); // replaces it
    CHECK(cache->find_extracted(other));
    CHECK_FALSE(cache->find_extracted(record()));

    auto unhashed = record();
    unhashed.sha256.clear();
    unhashed.md5.clear();
    CHECK(cache->find_extracted(unhashed));
    unhashed.url = "https://elsewhere/chan/noarch/foo-1.0-0.conda";
    CHECK_FALSE(cache->find_extracted(unhashed));
}

TEST_CASE("a directory without info/index.json is no package") {
    const Scratch directory;
    const auto cache = PackageCache::open({directory.path});
    REQUIRE(cache);
    publish(*cache, record());
    REQUIRE(remove_tree(directory.path + "/foo-1.0-0/info/index.json"));
    CHECK_FALSE(cache->find_extracted(record()));
}

TEST_CASE("archives are found by name and size, in every cache") {
    const Scratch directory;
    REQUIRE(make_directories(directory.path + "/second"));
    REQUIRE(write_file_atomic(directory.path + "/second/foo-1.0-0.conda", "123"));
    const auto cache = PackageCache::open({directory.path + "/first", directory.path + "/second"});
    REQUIRE(cache);
    CHECK(cache->writable_directory() == directory.path + "/first");
    CHECK(cache->find_archive(record()) == directory.path + "/second/foo-1.0-0.conda");
    REQUIRE(write_file_atomic(directory.path + "/second/foo-1.0-0.conda", "1234"));
    CHECK_FALSE(cache->find_archive(record()));
}

TEST_CASE("what mamba keeps in a folder for each channel is found, too") {
    const Scratch scratch;
    const std::string folder = "pkgs/https/host/chan/noarch/";
    scratch.write(folder + "foo-1.0-0/info/index.json", "{}");
    scratch.write(folder + "foo-1.0-0/info/repodata_record.json", repodata_record_json(record()));
    scratch.write(folder + "bar-1.0-0.conda", "123");
    const auto cache = PackageCache::open({scratch.at("pkgs")});
    REQUIRE(cache);
    const std::string path = scratch.at(folder + "foo-1.0-0");
    CHECK(cache->find_extracted(record()) == path);
    CHECK_FALSE(cache->find_extracted(record(), path));
    auto other = record();
    other.url = "https://elsewhere/chan/noarch/foo-1.0-0.conda";
    CHECK_FALSE(cache->find_extracted(other));
    auto bar = record();
    bar.name = "bar";
    bar.fn = "bar-1.0-0.conda";
    bar.url = "https://host/chan/noarch/bar-1.0-0.conda";
    CHECK(cache->find_archive(bar) == scratch.at(folder + "bar-1.0-0.conda"));
    for (const std::string url : {"file:///a:b/chan/noarch/bar-1.0-0.conda", "../x", "https://../../x/y", ""}) {
        bar.url = url;
        CHECK_FALSE(cache->find_archive(bar));
    }
    scratch.write("pkgs/file/a_b/chan/noarch/bar-1.0-0.conda", "123");
    bar.url = "file:///a:b/chan/noarch/bar-1.0-0.conda";
    CHECK(cache->find_archive(bar) == scratch.at("pkgs/file/a_b/chan/noarch/bar-1.0-0.conda"));

    cache->remember(path, record(), {true, {}, "{}", {}});
    const auto again = PackageCache::open({scratch.at("pkgs")});
    REQUIRE(again->find_known(path));
    CHECK(again->find_extracted(record()) == path);
    REQUIRE(CacheIndex::prune(scratch.at("pkgs")));
    CHECK(PackageCache::open({scratch.at("pkgs")})->find_known(path));
}

TEST_CASE("two makers of one package exclude each other, of two packages they do not") {
    const Scratch directory;
    const auto mine = PackageCache::open({directory.path});
    const auto theirs = PackageCache::open({directory.path});
    REQUIRE(mine);
    REQUIRE(theirs);
    auto other = record();
    other.fn = "bar-1.0-0.conda";
    {
        auto lock = mine->try_lock(record());
        REQUIRE(lock);
        CHECK_FALSE(theirs->try_lock(record()));
        CHECK(theirs->try_lock(other));
        lock->release();
        CHECK(theirs->try_lock(record()));
    }
    CHECK(theirs->try_lock(record()));
}

TEST_CASE("a cache that cannot be written says so and names the way out") {
    const Scratch directory;
    REQUIRE(write_file_atomic(directory.path + "/file", ""));
    const auto cache = PackageCache::open({directory.path + "/file/pkgs"});
    REQUIRE_FALSE(cache);
    CHECK(cache.error().describe().find("CONDA_PKGS_DIRS") != std::string::npos);
}

TEST_CASE("what was extracted here is known without looking into its directory") {
    const Scratch directory;
    const std::string path = directory.path + "/foo-1.0-0";
    const std::string index = directory.path + "/.taipan-index";
    const auto known = [&] {
        const auto cache = PackageCache::open({directory.path});
        REQUIRE(cache);
        return cache->find_known(path).has_value();
    };
    const auto cache = PackageCache::open({directory.path});
    REQUIRE(cache);
    publish(*cache, record()); // without paths.json
    CHECK_FALSE(known());
    publish(*cache, record(), {true, {}, "{\"paths\": []}", "{}"}); // replaces it
    CHECK(known());

    SECTION("as it was, and it is found by it") {
        const auto again = PackageCache::open({directory.path});
        const auto found = again->find_known(path);
        REQUIRE(found);
        CHECK(found->contained);
        CHECK(std::string(found->paths_json) == "{\"paths\": []}");
        CHECK(std::string(found->link_json) == "{}");
        CHECK(std::string(found->record_json) == *read_file(path + "/info/repodata_record.json"));
        CHECK(again->find_extracted(record()) == path);
        auto other = record();
        other.sha256 = std::string(64, 'c');
        CHECK_FALSE(again->find_extracted(other));
    }
    SECTION("not a directory that took its place") {
        REQUIRE(::rename(path.c_str(), (path + "-moved").c_str()) == 0);
        REQUIRE(make_directories(path + "/info"));
        CHECK_FALSE(known());
    }
    SECTION("not after a file of info was removed or replaced") {
        if (GENERATE(true, false))
            REQUIRE(::unlink((path + "/info/repodata_record.json").c_str()) == 0);
        else
            REQUIRE(write_file_atomic(path + "/info/repodata_record.json", "{}"));
        CHECK_FALSE(known());
    }
    SECTION("not by an entry that was cut off, whatever is written after it; opening the cache repairs that") {
        const std::string text = *read_file(index);
        const auto kept = GENERATE(std::size_t{1}, std::size_t{5}, std::size_t{30});
        REQUIRE(write_file_atomic(index, text.substr(0, text.size() - kept)));
        CHECK_FALSE(CacheIndex::open(directory.path).find("foo-1.0-0", status_of(path + "/info")));
        REQUIRE(write_file_atomic(index, text.substr(0, text.size() - kept) + text));
        CHECK(CacheIndex::open(directory.path).damaged());
        CHECK_FALSE(known());
        CHECK_FALSE(CacheIndex::open(directory.path).damaged());
        publish(*cache, record(), {true, {}, "{}", {}});
        CHECK(known());
    }
    SECTION("not by an entry with a hole in it") {
        std::string text = *read_file(index);
        text[text.size() - 8] = '\0';
        REQUIRE(write_file_atomic(index, text));
        CHECK_FALSE(known());
    }
    SECTION("not by lengths that leave the file") {
        for (const std::string line :
             {"taipan 1 1 1 1 5 99999999999999999999 1 foo-1.0-0\n", "taipan 1 1 1 1 1 1 1 foo\nx", "taipan 1 \n",
              "taipan 1 1 1 1 18446744073709551615 1 1 foo\nabc\n", "x"}) {
            REQUIRE(write_file_atomic(index, line));
            CHECK(CacheIndex::open(directory.path).damaged());
        }
    }
    SECTION("pruning keeps what is there") {
        REQUIRE(CacheIndex::prune(directory.path));
        CHECK(known());
        REQUIRE(remove_tree(path));
        REQUIRE(CacheIndex::prune(directory.path));
        CHECK(read_file(index)->empty());
    }
}
