#include <catch2/catch.hpp>

#include <ctime>

#include <fcntl.h>

#include "base/temporary_name.hpp"
#include "cache/cache_leftovers.hpp"
#include "cache/package_cache.hpp"
#include "scratch.hpp"

using namespace taipan;

namespace {

/// What another process would do that has this run number.
struct OtherRun {
    UniqueFd file;
    explicit OtherRun(const std::string& directory, long number)
        : file(::open((directory + "/.taipan.lock").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666)) {
        struct flock request {};
        request.l_type = F_RDLCK;
        request.l_whence = SEEK_SET;
        request.l_start = (off_t{1} << 62U) + number;
        request.l_len = 1;
        REQUIRE(::fcntl(file.get(), F_OFD_SETLK, &request) == 0);
    }
};

} // namespace

TEST_CASE("what killed runs have left goes, what living ones use stays") {
    const Scratch scratch;
    const std::string mine = std::to_string(run_number());
    for (const std::string& number : {std::string("17"), std::string("18"), mine}) {
        scratch.write(".taipan-spool-" + number + "-0", "x");
        scratch.write(".taipan-foo-1-0-" + number + "-1/info/index.json", "{}");
        scratch.write("cache/abc.json.taipan-" + number + "-2", "x");
        scratch.write(".taipan-pyc/python-3-0/.taipan-foo-" + number + "-3/x", "x");
    }
    scratch.write("foo-1-0/info/index.json", "{}");
    scratch.write("cache/abc.json", "{}");
    const OtherRun alive(scratch.path, 18);
    const std::vector<std::string> ended = {".taipan-foo-1-0-17-1", ".taipan-pyc/python-3-0/.taipan-foo-17-3",
                                            ".taipan-spool-17-0", "cache/abc.json.taipan-17-2"};
    CHECK(find_leftovers(scratch.path, RunLocks(scratch.path), std::time(nullptr)) == ended);
    const auto cache = PackageCache::open({scratch.path});
    REQUIRE(cache);
    cache->sweep_leftovers(std::time(nullptr));
    for (const auto& name : ended) CHECK_FALSE(exists(scratch.at(name)));
    for (const std::string& number : {std::string("18"), mine}) {
        CHECK(exists(scratch.at(".taipan-spool-" + number + "-0")));
        CHECK(exists(scratch.at(".taipan-foo-1-0-" + number + "-1/info/index.json")));
        CHECK(exists(scratch.at("cache/abc.json.taipan-" + number + "-2")));
    }
    CHECK(exists(scratch.at("foo-1-0/info/index.json")));
    CHECK(exists(scratch.at("cache/abc.json")));
}

TEST_CASE("an open cache shows that its process lives") {
    const Scratch scratch;
    const RunLocks other(scratch.path);
    const std::time_t now = std::time(nullptr);
    const auto held = [&] {
        struct flock probe {};
        probe.l_type = F_WRLCK;
        probe.l_whence = SEEK_SET;
        probe.l_start = (off_t{1} << 62U) + run_number();
        probe.l_len = 1;
        REQUIRE(::fcntl(other.file().get(), F_OFD_GETLK, &probe) == 0);
        return probe.l_type != F_UNLCK;
    };
    CHECK_FALSE(held());
    {
        const auto cache = PackageCache::open({scratch.path});
        const auto again = PackageCache::open({scratch.path});
        CHECK(held());
    }
    CHECK_FALSE(held());
    CHECK(other.has_ended(5, now, now));
}

TEST_CASE("without locks only what is old has ended") {
    const RunLocks none("/nonexistent");
    CHECK_FALSE(none.has_ended(5, 1000, 2000));
    CHECK(none.has_ended(5, 1000, 1000 + 25 * 60 * 60));
}
