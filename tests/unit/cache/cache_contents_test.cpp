#include <catch2/catch.hpp>

#include <string>

#include <unistd.h>

#include "cache/cache_clearing.hpp"
#include "cache/cache_contents.hpp"
#include "cache/cache_uses.hpp"
#include "scratch.hpp"

using namespace taipan;

namespace {

std::string names(const std::vector<CacheEntry>& entries) {
    std::string text;
    for (const auto& entry : entries) text += std::string(to_string(entry.kind)) + ' ' + entry.name + '\n';
    return text;
}

PackageRecord record(const std::string& name) {
    PackageRecord made;
    made.name = name;
    made.version = "1";
    made.build = "0";
    made.fn = name + "-1-0.conda";
    made.sha256 = std::string(64, 'c');
    return made;
}

} // namespace

TEST_CASE("a cache is listed by kind and name, without what is being made or is none of it") {
    const Scratch cache;
    cache.write("b-1-0.conda", "");
    cache.write("a-1-0.tar.bz2", "");
    cache.write("a-1-0/info/index.json", "{}");
    cache.write("broken-1-0/lib/x", "");
    cache.write(".taipan-c-1-0-5-6/info/index.json", "{}");
    cache.write(".taipan-pyc/python-3-0/a-1-0-cccc/manifest", "");
    cache.write(".taipan-pyc/python-3-0/.taipan-x-5-6/manifest", "");
    cache.write("cache/0123abcd.json", "{}");
    cache.write("cache/0123abcd.tpi", "index");
    cache.write("cache/ffffffff.info.json", "");
    cache.write("cache/notes", "notes");
    cache.write("cache/shards/ff.tpi", "shard");
    cache.write("urls.txt", "");
    cache.write("readme.conda", "");
    cache.symlink("link-1-0.conda", "b-1-0.conda");
    CHECK(names(list_cache(cache.path)) == "archive a-1-0.tar.bz2\n"
                                           "archive b-1-0.conda\n"
                                           "package a-1-0\n"
                                           "bytecode .taipan-pyc/python-3-0/a-1-0-cccc\n"
                                           "index cache/0123abcd.json\n"
                                           "index cache/0123abcd.tpi\n"
                                           "index cache/shards/ff.tpi\n");
    CHECK(list_cache(cache.at("missing")).empty());
}

TEST_CASE("what is needed of a cache") {
    NeededEntries needed;
    needed.add(record("a"));
    needed.add(record("python"));
    const std::string hash = std::string(16, 'c');
    CHECK(needed.wants({CacheEntryKind::archive, "a-1-0.conda"}));
    CHECK_FALSE(needed.wants({CacheEntryKind::archive, "a-1-0.tar.bz2"}));
    CHECK_FALSE(needed.wants({CacheEntryKind::archive, "b-1-0.conda"}));
    CHECK(needed.wants({CacheEntryKind::package, "a-1-0"}));
    CHECK_FALSE(needed.wants({CacheEntryKind::package, "a-1-1"}));
    CHECK(needed.wants({CacheEntryKind::bytecode, ".taipan-pyc/python-1-0/a-1-0-" + hash}));
    CHECK_FALSE(needed.wants({CacheEntryKind::bytecode, ".taipan-pyc/python-2-0/a-1-0-" + hash}));
    CHECK_FALSE(needed.wants({CacheEntryKind::bytecode, ".taipan-pyc/python-1-0/a-1-0-dddd"}));
    CHECK_FALSE(needed.wants({CacheEntryKind::index, "cache/0123abcd.json"}));
    CHECK_FALSE(needed.wants({CacheEntryKind::index, "cache/shards/ff.tpi"}));
    needed.add_index("0123abcd");
    CHECK(needed.wants({CacheEntryKind::index, "cache/0123abcd.info.json"}));
    CHECK(needed.wants({CacheEntryKind::index, "cache/0123abcd.tpi"}));
    CHECK_FALSE(needed.wants({CacheEntryKind::index, "cache/ffffffff.json"}));
    CHECK(needed.wants({CacheEntryKind::index, "cache/shards/ff.tpi"}));
}

TEST_CASE("an entry's size, and whether an environment has files of it") {
    const Scratch cache;
    cache.write("a-1-0/info/index.json", "{}");
    cache.write("a-1-0/lib/x", "12345");
    const CacheEntry entry{CacheEntryKind::package, "a-1-0"};
    auto size = measure_entry(cache.path, entry);
    CHECK(size.files == 2);
    CHECK(size.bytes == 7);
    CHECK_FALSE(size.linked);
    REQUIRE(::link(cache.at("a-1-0/lib/x").c_str(), cache.at("a-1-0/lib/same").c_str()) == 0);
    CHECK_FALSE(measure_entry(cache.path, entry).linked); // in itself
    REQUIRE(::link(cache.at("a-1-0/lib/x").c_str(), cache.at("elsewhere").c_str()) == 0);
    CHECK(measure_entry(cache.path, entry).linked);
}

TEST_CASE("uses of a cache are added up, damaged lines do not count") {
    const Scratch cache;
    CHECK(read_cache_uses(cache.path).runs == 0);
    REQUIRE(note_cache_use(cache.path, {100, 3, 2, 1, 500}));
    REQUIRE(append_to_file(cache.at(".taipan-uses"), "taipan 1 7 8\ntaipan 2 1 1 1 1 1\n\n"));
    REQUIRE(note_cache_use(cache.path, {200, 10, 0, 4, 50}));
    REQUIRE(append_to_file(cache.at(".taipan-uses"), "taipan 1 300 1 1"));
    const auto uses = read_cache_uses(cache.path);
    CHECK(uses.runs == 2);
    CHECK(uses.total.extracted == 13);
    CHECK(uses.total.archives == 2);
    CHECK(uses.total.fetched == 5);
    CHECK(uses.total.fetched_bytes == 550);
    CHECK(uses.first == 100);
    CHECK(uses.last == 200);
}

TEST_CASE("a long list of uses keeps its newest lines") {
    const Scratch cache;
    std::string lines;
    for (int i = 1; i <= 20000; ++i) lines += "taipan 1 " + std::to_string(i) + " 1 0 0 0\n";
    cache.write(".taipan-uses", lines);
    REQUIRE(trim_cache_uses(cache.path));
    const auto uses = read_cache_uses(cache.path);
    CHECK(uses.last == 20000);
    CHECK(uses.runs > 1000);
    CHECK(uses.runs < 20000);
    CHECK(uses.first == static_cast<std::time_t>(20000 - uses.runs + 1));
}

TEST_CASE("entries leave a cache only while no run uses it") {
    const Scratch cache;
    cache.write("a-1-0/info/index.json", "{}");
    const CacheEntry entry{CacheEntryKind::package, "a-1-0"};
    {
        const RunLocks other(cache.path);
        other.hold();
        const auto refused = CacheClearing::begin(cache.path, 0);
        REQUIRE_FALSE(refused);
        CHECK(refused.error().code == ErrorCode::locked);
    }
    const auto clearing = CacheClearing::begin(cache.path, 0);
    REQUIRE(clearing);
    CHECK_FALSE(CacheClearing::begin(cache.path, 0)); // one at a time
    const auto aside = clearing->set_aside(entry);
    REQUIRE(aside);
    CHECK(exists(*aside + "/info/index.json"));
    CHECK_FALSE(cache.has("a-1-0"));
    const auto gone = clearing->set_aside(entry);
    REQUIRE(gone);
    CHECK(gone->empty());
    // Should this process be killed now, the next run finds what it left.
    REQUIRE(clearing->set_aside(entry));
    const RunLocks locks(cache.path);
    CHECK(find_leftovers(cache.path, locks, 0).empty()); // but it lives
    REQUIRE(remove_tree(*aside));
}
