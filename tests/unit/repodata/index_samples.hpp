#pragma once

// Indexes for tests: made up, with every field of a record.

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>

#include "repodata/batch_parser.hpp"
#include "repodata/index_builder.hpp"
#include "repodata/splitter.hpp"

namespace taipan::test {

/// The text of an index with so many packages, eight of a name, in both formats.
inline std::string sample_repodata(int count) {
    std::string conda, bz2;
    for (int i = 0; i < count; ++i) {
        const std::string name = "package-" + std::to_string(i / 8), version = "1." + std::to_string(i % 8);
        const bool old = i % 8 < 2;
        std::string& section = old ? bz2 : conda;
        if (!section.empty()) section += ",\n";
        char hash[17];
        std::snprintf(hash, sizeof hash, "%016x", i);
        const std::string quarter = hash;
        section += "\"" + name + "-" + version + "-h_0" + (old ? ".tar.bz2" : ".conda") + "\": {\"name\": \"" + name +
                   "\", \"version\": \"" + version +
                   "\", \"build\": \"h_0\", \"build_number\": " + std::to_string(i % 3) + ", \"depends\": [\"package-" +
                   std::to_string(i / 16) + " >=1.0\", \"__glibc >=2.17,<3.0.a0\"]" +
                   ", \"constrains\": [\"other <2\"], \"md5\": \"" + quarter + quarter + "\", \"sha256\": \"" +
                   quarter + quarter + quarter + quarter + "\", \"size\": " + std::to_string(i * 1000) +
                   ", \"timestamp\": 1700000000123, \"license\": \"MIT \\\"}{\\\\\", \"license_family\": \"MIT\"" +
                   ", \"subdir\": \"linux-64\", \"track_features\": \"f1 f2\", \"arch\": \"x86_64\"}";
    }
    return "{\"info\": {\"subdir\": \"linux-64\"}, \"packages\": {" + bz2 + "}, \"packages.conda\": {" + conda +
           "}, \"removed\": [\"a-1-0.conda\"], \"repodata_version\": 1}";
}

/// The index file of such a text, which comes in pieces of at most `piece` bytes.
inline std::string index_bytes(std::string_view json, const repodata::IndexSource& source,
                               std::size_t piece = std::size_t{1} << 20) {
    using namespace repodata;
    MemoryStore store;
    IndexBuilder builder(store);
    BatchParser parser;
    Splitter splitter(
        Buffer::of_size,
        [&](const Batch& batch) {
            auto parsed = parser.parse(batch);
            if (!parsed || !builder.add(*parsed)) std::abort();
        },
        false);
    while (!json.empty()) {
        const auto space = splitter.space();
        const std::size_t count = std::min({space.size(), json.size(), piece});
        std::memcpy(space.data(), json.data(), count);
        json.remove_prefix(count);
        if (!splitter.advance(count)) std::abort();
    }
    const auto skeleton = splitter.finish();
    if (!skeleton || !builder.read_skeleton(*skeleton, false) || !builder.seal(source)) std::abort();
    return store.take();
}

inline repodata::RecordView sample_record(repodata::Arena& arena) {
    repodata::RecordView record;
    record.name = "x";
    record.version = "1.0";
    record.build = "h_0";
    record.fn = "x-1.0-h_0.conda";
    record.subdir = "linux-64";
    record.md5 = "00112233445566778899aabbccddeeff";
    record.sha256 = "odd";
    record.track_features = "t";
    record.legacy_bz2_size = 7;
    const std::string_view depends[] = {"a >=1", "b", "a >=2"};
    record.depends = arena.keep(std::span<const std::string_view>(depends));
    record.size = 5;
    record.timestamp = 1;
    return record;
}

} // namespace taipan::test
