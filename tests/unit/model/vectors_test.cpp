// Versions, version specs and match specs against what the real conda answers; vectors/make_vectors.py asked it.

#include <catch2/catch.hpp>

#include <string>
#include <vector>

#include "model/channel.hpp"
#include "model/match_spec.hpp"
#include "model/version.hpp"
#include "model/version_spec.hpp"

using namespace taipan;

namespace {

struct Ordered {
    std::string_view relation, version;
};
struct Text {
    std::string_view text;
};
struct Answered {
    std::string_view spec, contained;
};
struct Matched {
    std::string_view spec, canonical, matched;
};
struct Fields {
    std::string_view name, version, build, number, channel, subdir, license, track_features;
};

#include "vectors/conda_vectors.inc"

PackageRecord record(const Fields& fields) {
    PackageRecord made;
    made.name = fields.name;
    made.version = fields.version;
    made.build = fields.build;
    made.build_number = std::stoll(std::string(fields.number));
    made.subdir = fields.subdir;
    made.license = fields.license;
    made.track_features = fields.track_features;
    made.fn = made.dist_name() + ".tar.bz2";
    made.url = "https://host/" + made.fn;
    made.md5 = "0123456789abcdef0123456789abcdef";
    if (fields.channel == "@") {
        made.channel = made.channel_name = "@";
        return made;
    }
    const auto channels = resolve_channel(fields.channel, ChannelSettings{});
    REQUIRE(channels);
    made.channel = channels->front().base_url;
    made.channel_name = channels->front().name;
    return made;
}

} // namespace

TEST_CASE("versions are ordered as conda answers", "[version][vectors]") {
    std::vector<Version> versions;
    std::vector<std::size_t> rank; // equal ones share it
    for (const Ordered& row : ordered_versions) {
        auto parsed = Version::parse(row.version);
        INFO(row.version);
        REQUIRE(parsed);
        versions.push_back(std::move(*parsed));
        rank.push_back(rank.empty() ? 0 : rank.back() + (row.relation == "<" ? 1 : 0));
    }
    for (std::size_t a = 0; a < versions.size(); ++a) {
        for (std::size_t b = 0; b < versions.size(); ++b) {
            if ((versions[a] <=> versions[b]) == (rank[a] <=> rank[b])) continue;
            FAIL_CHECK(ordered_versions[a].version << " against " << ordered_versions[b].version);
        }
    }
}

TEST_CASE("what conda takes for no version is none", "[version][vectors]") {
    for (const Text& row : bad_versions) {
        INFO(row.text);
        CHECK_FALSE(Version::parse(row.text));
    }
}

TEST_CASE("version specs contain what conda answers", "[version_spec][vectors]") {
    for (const Answered& row : version_specs) {
        const auto spec = VersionSpec::parse(row.spec);
        INFO(row.spec);
        REQUIRE(spec);
        std::string contained;
        for (const Text& version : asked_versions) {
            const auto parsed = Version::parse(version.text);
            REQUIRE(parsed);
            contained += spec->contains(*parsed) ? 'x' : '.';
        }
        for (std::size_t i = 0; i < contained.size(); ++i) {
            if (contained[i] != row.contained[i]) FAIL_CHECK(row.spec << " and " << asked_versions[i].text);
        }
    }
}

TEST_CASE("what conda takes for no version spec is none", "[version_spec][vectors]") {
    for (const Text& row : bad_version_specs) {
        INFO(row.text);
        CHECK_FALSE(VersionSpec::parse(row.text));
    }
}

TEST_CASE("match specs read and match as conda answers", "[match_spec][vectors]") {
    std::vector<PackageRecord> records;
    for (const Fields& fields : asked_records) records.push_back(record(fields));
    for (const Matched& row : match_specs) {
        const auto spec = MatchSpec::parse(row.spec);
        INFO(row.spec);
        if (!spec) {
            FAIL_CHECK(row.spec << " is refused");
            continue;
        }
        CHECK(spec->to_string() == row.canonical);
        for (std::size_t i = 0; i < records.size(); ++i) {
            if (spec->matches(records[i]) == (row.matched[i] == 'x')) continue;
            FAIL_CHECK(row.spec << " and " << records[i].dist_string());
        }
    }
    for (const Text& row : bad_match_specs) {
        INFO(row.text);
        CHECK_FALSE(MatchSpec::parse(row.text));
    }
}
