#include <catch2/catch.hpp>

#include "repodata/base_url.hpp"
#include "repodata/subdir_index.hpp"

using namespace taipan;
using Names = std::vector<std::string>;

namespace {

Channel channel(std::string base = "https://example.org/chan") {
    Channel result;
    result.base_url = std::move(base);
    result.name = "chan";
    return result;
}

SubdirIndex index_of(std::string json, bool only_bz2 = false) {
    auto index = SubdirIndex::parse(std::move(json), channel(), "linux-64", only_bz2);
    if (!index) FAIL(index.error().message);
    return std::move(*index);
}

std::vector<PackageRecord> records(const SubdirIndex& index, std::string_view name) {
    auto found = index.records(name);
    REQUIRE(found);
    return std::move(*found);
}

Names names(const SubdirIndex& index) {
    const auto views = index.names();
    return {views.begin(), views.end()};
}

/// An index with one record under packages.conda.
std::string one(const std::string& fields, const std::string& file = "x-1.0-h_0.conda") {
    return R"({"info":{"subdir":"linux-64"},"packages":{},"packages.conda":{")" + file + R"(":{)" + fields +
           R"(}},"repodata_version":1})";
}

const std::string basics = R"("name":"x","version":"1.0","build":"h_0","build_number":0)";

} // namespace

TEST_CASE("a whole record", "[repodata]") {
    const auto index = index_of(one(basics + R"(,"depends":["a >=1","b"],"constrains":["c <2"],"md5":"m","sha256":"s",
        "size":42,"timestamp":1700000000123,"license":"MIT","license_family":"BSD","subdir":"linux-64","noarch":"python",
        "track_features":"t1 t2","features":"f","legacy_bz2_md5":"lm","legacy_bz2_size":7,"arch":"x86_64",
        "platform":"linux","date":"2020-01-01","python_site_packages_path":"lib/p","app_entry":{"deep":["}"]},"type":"app")"));
    const auto found = records(index, "x");
    REQUIRE(found.size() == 1);
    const auto& record = found[0];
    CHECK(record.name == "x");
    CHECK(record.depends == Names{"a >=1", "b"});
    CHECK(record.constrains == Names{"c <2"});
    CHECK(record.md5 == "m");
    CHECK(record.sha256 == "s");
    CHECK(record.size == 42u);
    CHECK(record.timestamp == 1700000000123);
    CHECK(record.license == "MIT");
    CHECK(record.license_family == "BSD");
    CHECK(record.noarch == Noarch::python);
    CHECK(record.track_features == "t1 t2");
    CHECK(record.features == "f");
    CHECK(record.legacy_bz2_md5 == "lm");
    CHECK(record.legacy_bz2_size == 7u);
    CHECK(record.python_site_packages_path == "lib/p");
    CHECK(record.arch == "x86_64");
    CHECK(record.platform == "linux");
    CHECK(record.date == "2020-01-01");
    CHECK(record.fn == "x-1.0-h_0.conda");
    CHECK(record.url == "https://example.org/chan/linux-64/x-1.0-h_0.conda");
    CHECK(record.channel == "https://example.org/chan");
    CHECK(record.channel_name == "chan");
}

TEST_CASE("legacy values are understood", "[repodata]") {
    const auto index = index_of(one(R"("name":"X","version":"1.0","build":"h_0","build_number":"12","noarch":true,
        "track_features":["t1","t2"],"license":null,"depends":null,"timestamp":1700000000,"size":null,"arch":null)"));
    const auto found = records(index, "x");
    REQUIRE(found.size() == 1);
    CHECK(found[0].name == "x");
    CHECK(found[0].build_number == 12);
    CHECK(found[0].noarch == Noarch::generic);
    CHECK(found[0].track_features == "t1 t2");
    CHECK(found[0].license.empty());
    CHECK(found[0].depends.empty());
    CHECK(found[0].timestamp == 1700000000000);
    CHECK_FALSE(found[0].size);
    CHECK(found[0].subdir == "linux-64"); // of info
}

TEST_CASE("escapes in texts", "[repodata]") {
    const auto index = index_of(one(basics + R"(,"license":"a \"quoted\" } \u00e9","depends":["b \u003e=1"])"));
    const auto found = records(index, "x");
    REQUIRE(found.size() == 1);
    CHECK(found[0].license == "a \"quoted\" } \xc3\xa9");
    CHECK(found[0].depends == Names{"b >=1"});
}

TEST_CASE("names come from file names, split from the right, sorted", "[repodata]") {
    const auto index = index_of(R"({"packages":{
        "foo-bar-1.0-0.tar.bz2":{"name":"foo-bar","version":"1.0","build":"0","build_number":0},
        "foo-1.0-0.tar.bz2":{"name":"foo","version":"1.0","build":"0","build_number":0},
        "foo-bar-2.0-0.tar.bz2":{"name":"foo-bar","version":"2.0","build":"0","build_number":0}},
        "packages.conda":{
        "Abc-1-0.conda":{"name":"abc","version":"1","build":"0","build_number":0},
        "foo-2.0-0.conda":{"name":"foo","version":"2.0","build":"0","build_number":0}}})");
    CHECK(names(index) == Names{"abc", "foo", "foo-bar"});
    CHECK(index.size() == 5);
    CHECK(records(index, "foo-bar").size() == 2);
    CHECK(records(index, "foo").size() == 2);
    CHECK(records(index, "abc").size() == 1);
    CHECK(records(index, "fo").empty());
    CHECK(records(index, "zzz").empty());
}

TEST_CASE(".conda hides the .tar.bz2 of the same stem and remembers it", "[repodata]") {
    const std::string json = R"({"packages":{
        "a-1-0.tar.bz2":{"name":"a","version":"1","build":"0","build_number":0,"md5":"old","size":9},
        "a-0.9-0.tar.bz2":{"name":"a","version":"0.9","build":"0","build_number":0}},
        "packages.conda":{"a-1-0.conda":{"name":"a","version":"1","build":"0","build_number":0,"md5":"new","size":5}}})";
    const auto index = index_of(json);
    CHECK(index.size() == 3);
    const auto found = records(index, "a");
    REQUIRE(found.size() == 2);
    CHECK(found[0].fn == "a-1-0.conda");
    CHECK(found[0].legacy_bz2_md5 == "old");
    CHECK(found[0].legacy_bz2_size == 9u);
    CHECK(found[1].fn == "a-0.9-0.tar.bz2");

    const auto only_bz2 = index_of(json, true);
    CHECK(only_bz2.size() == 2);
    CHECK(records(only_bz2, "a")[0].md5 == "old");
}

TEST_CASE("a broken record is left out, alone", "[repodata]") {
    for (const std::string broken :
         {R"("name":"x","version":"1.0","build_number":0)", R"("name":"x","version":1.0,"build":"0")",
          R"("name":"x","version":"1.0","build":"h_0","depends":[1])",
          R"("name":"x","version":"1.0","build":"../../h_0")", R"("name":"x","version":"1/0","build":"h_0")",
          R"("name":"x","version":"1.0","build":"h\u0000_0")", R"("name":"x","version":"1.0","build":null)",
          R"("name":"x","version":"1.0","build":"h_0","depends":"a")",
          R"("name":"x","version":"1.0","build":"h_0","build_number":"many")",
          R"("name":"x","version":"1.0","build":"h_0","schema_version":3)",
          R"("name":"x","version":"1.0","build":"h_0","record_version":2)"}) {
        INFO(broken);
        const auto index = index_of(one(broken));
        CHECK(records(index, "x").empty());
        CHECK(index.counters().broken == 1);
    }
    // As for conda and mamba it is the record that tells what a package is.
    CHECK(records(index_of(one(basics, "named_otherwise.conda")), "x").size() == 1);
    for (const auto* file : {"no_package", ".conda", ".hidden-1-0.conda", "../x-1-0.conda", "x/y-1-0.conda"}) {
        INFO(file);
        const auto index = index_of(one(basics, file));
        CHECK(index.size() == 0);
        CHECK(index.counters().skipped == 1);
    }
    CHECK(index_of(R"({"packages":{"x-1-0.tar.bz2":7}})").counters().skipped == 1);
    CHECK(index_of(R"({"packages":{"x-1-0.conda":{}}})").counters().skipped == 1); // wrong section
}

TEST_CASE("the record says what a package is called, not its file", "[repodata]") {
    const auto index = index_of(one(basics, "other-9.0-h_7.conda"));
    const auto found = records(index, "x");
    REQUIRE(found.size() == 1);
    CHECK(found[0].version == "1.0");
    CHECK(found[0].url == "https://example.org/chan/linux-64/other-9.0-h_7.conda");
    CHECK(records(index, "other").empty());
    CHECK(records(index_of(one(R"("name":"../x","version":"1.0","build":"h_0")")), "../x").empty());
}

TEST_CASE("sections and versions that say nothing", "[repodata]") {
    const std::string record = R"({"x-1.0-h_0.conda":{)" + basics + "}}";
    for (const std::string& text :
         Names{R"({"packages":null,"packages.conda":)" + record + "}",
               R"({"packages.conda":)" + record + R"(,"packages":null})",
               R"({"packages.conda":)" + record + R"(,"repodata_version":null,"info":null,"removed":null})",
               R"({"packages.conda":)" + record + R"(,"repodata_version":"1","signatures":{"x-1.0-h_0.conda":{}}})",
               "\xef\xbb\xbf{\"packages.conda\":" + record + "}\n\n"}) {
        INFO(text);
        CHECK(records(index_of(text), "x").size() == 1);
    }
    CHECK_FALSE(SubdirIndex::parse(R"({"packages":{},"repodata_version":"3"})", channel(), "noarch"));
    CHECK(records(index_of(one(R"("name":"x","version":"1.0","build":"h_0","build_number":null)")), "x").size() == 1);
}

TEST_CASE("text that is no index", "[repodata]") {
    for (const std::string bad : {"", "[]", "{", R"({"packages":)", R"({"packages":{"x-1-0.tar.bz2":{"name":"x"})",
                                  R"({"packages":{"x-1-0.tar.bz2":{"name" "x"}}})", R"({"packages":[]})", "<html>",
                                  R"({"packages":{}} trailing)"}) {
        INFO(bad);
        const auto index = SubdirIndex::parse(bad, channel(), "linux-64");
        if (index) {
            // simdjson looks at the inside of a record only when it is read: then it must be left out there.
            CHECK(records(*index, "x").empty());
            continue;
        }
        CHECK(index.error().code == ErrorCode::parse);
        CHECK(index.error().message.find("https://example.org/chan/linux-64/repodata.json") != std::string::npos);
    }
}

TEST_CASE("repodata_version", "[repodata]") {
    CHECK(SubdirIndex::parse(R"({"repodata_version":2})", channel(), "noarch"));
    const auto newer = SubdirIndex::parse(R"({"packages":{},"repodata_version":3})", channel(), "noarch");
    REQUIRE_FALSE(newer);
    CHECK(newer.error().message.find("repodata_version 3") != std::string::npos);
    CHECK_FALSE(SubdirIndex::parse(R"({"info":{"repodata_version":4}})", channel(), "noarch"));
}

TEST_CASE("base_url", "[repodata]") {
    const auto url = [](const std::string& base) {
        const auto index = index_of(R"({"info":{"base_url":")" + base + R"("},"packages.conda":{"x-1.0-h_0.conda":{)" +
                                    basics + R"(}},"repodata_version":2})");
        const auto found = records(index, "x");
        REQUIRE(found.size() == 1);
        CHECK(found[0].channel == "https://example.org/chan");
        return found[0].url;
    };
    CHECK(url("https://cdn.example.net/p/") == "https://cdn.example.net/p/x-1.0-h_0.conda");
    CHECK(url("./packages") == "https://example.org/chan/linux-64/packages/x-1.0-h_0.conda");
    CHECK(url("../store") == "https://example.org/chan/store/x-1.0-h_0.conda");
    CHECK(url("/root") == "https://example.org/root/x-1.0-h_0.conda");
    CHECK(url("../../../../up") == "https://example.org/up/x-1.0-h_0.conda");
    using repodata::resolve_reference;
    CHECK(resolve_reference("https://h/a/b", "//other/c") == "https://other/c");
    CHECK(resolve_reference("file:///ch/linux-64", "../pool") == "file:///ch/pool");
}

TEST_CASE("removed entries are counted, an empty index is empty", "[repodata]") {
    CHECK(index_of(R"({"packages":{},"removed":["a-1-0.conda","b-1-0.conda"]})").counters().removed == 2);
    const auto none = SubdirIndex::empty(channel(), "linux-64");
    CHECK(none.size() == 0);
    CHECK(none.names().empty());
    CHECK(records(none, "x").empty());
    CHECK(none.subdir() == "linux-64");
}

TEST_CASE("an index can be moved", "[repodata]") {
    auto index = index_of(one(basics));
    const auto moved = std::move(index);
    CHECK(names(moved) == Names{"x"});
    CHECK(records(moved, "x").size() == 1);
}
