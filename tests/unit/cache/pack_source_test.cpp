#include <catch2/catch.hpp>

#include <atomic>
#include <string>
#include <vector>

#include <sys/stat.h>
#include <zstd.h>

#include "base/byte_input.hpp"
#include "cache/pack_format.hpp"
#include "cache/pack_source.hpp"
#include "extract/extract.hpp"
#include "scratch.hpp"

using namespace taipan;

namespace {

PackInput input(const Scratch& from, CacheEntryKind kind, const std::string& name) {
    return {{kind, name}, from.at(name), {}};
}

/// The frames of each input, one after the other.
std::vector<std::string> pack(const std::vector<PackInput>& inputs) {
    PackSource source(inputs);
    std::vector<std::string> packed(inputs.size());
    while (true) {
        auto chunk = source.next();
        REQUIRE(chunk);
        if (!*chunk) break;
        auto frame = pack_frame((*chunk)->bytes, (*chunk)->stored);
        REQUIRE(frame);
        packed[(*chunk)->input] += *frame;
    }
    return packed;
}

std::string content_of(const std::string& packed, const std::string& name, SingleFile* facts = nullptr) {
    std::string text;
    MemoryInput bytes(packed);
    const auto file = extract_single_file(bytes, name, 1U << 30U, [&](std::string_view piece) {
        text += piece;
        return Result<void>();
    });
    REQUIRE(file);
    if (facts != nullptr) *facts = *file;
    return text;
}

} // namespace

TEST_CASE("archives are packed as they are, and come out as they were") {
    const Scratch cache;
    std::string large;
    for (std::uint64_t i = 0; i < 1'300'000; ++i) large += "byte" + std::to_string(i * 7919 % 1000);
    cache.write("large-1-0.conda", large);
    cache.write("empty-1-0.tar.bz2", "");
    cache.write("small-1-0.conda", "small");
    const auto packed = pack({input(cache, CacheEntryKind::archive, "empty-1-0.tar.bz2"),
                              input(cache, CacheEntryKind::archive, "large-1-0.conda"),
                              input(cache, CacheEntryKind::archive, "small-1-0.conda")});
    CHECK(content_of(packed[0], "empty-1-0.tar.bz2").empty());
    CHECK((content_of(packed[1], "large-1-0.conda") == large)); // too long to be shown
    CHECK(packed[1].size() > large.size());                     // stored
    CHECK(packed[1].size() < large.size() + large.size() / 1000 + 4096);
    CHECK(content_of(packed[2], "small-1-0.conda") == "small");
}

TEST_CASE("a tree is packed with its links, modes, times and names") {
    const Scratch cache, out;
    cache.write("a-1-0/info/index.json", "{}");
    cache.write("a-1-0/bin/tool", "#!/bin/sh\n", 0755);
    cache.write("a-1-0/share/\xC3\xA4 \xFF.txt", "odd name");
    cache.directory("a-1-0/empty");
    cache.symlink("a-1-0/lib/liba.so", "liba.so.1");
    const timespec times[2] = {{1'600'000'000, 123'456'789}, {1'600'000'000, 123'456'789}};
    REQUIRE(::utimensat(AT_FDCWD, cache.at("a-1-0/bin/tool").c_str(), times, 0) == 0);
    const auto packed = pack({input(cache, CacheEntryKind::package, "a-1-0")});
    ExtractContext context;
    const std::atomic<bool> cancelled{false};
    MemoryInput bytes(packed[0]);
    const auto fd = out.open("");
    const auto content = extract_tree(context, bytes, "a-1-0", fd.get(), cancelled);
    REQUIRE(content);
    CHECK(content->contained);
    CHECK(content->info.index_json == "{}");
    CHECK(out.read("bin/tool") == "#!/bin/sh\n");
    CHECK((out.status("bin/tool").st_mode & 0777) == 0755);
    CHECK(out.status("bin/tool").st_mtim.tv_sec == 1'600'000'000);
    CHECK(out.status("bin/tool").st_mtim.tv_nsec == 123'456'789);
    CHECK(out.read("share/\xC3\xA4 \xFF.txt") == "odd name");
    CHECK(S_ISDIR(out.status("empty").st_mode));
    CHECK(out.link_text("lib/liba.so") == "liba.so.1");
    CHECK_FALSE(out.has("a-1-0"));

    MemoryInput again(packed[0]);
    const Scratch other;
    const auto other_fd = other.open("");
    const auto refused = extract_tree(context, again, "b-1-0", other_fd.get(), cancelled);
    REQUIRE_FALSE(refused);
    CHECK(refused.error().code == ErrorCode::corrupt_package);
    CHECK(other.entries() == 0);
}

TEST_CASE("an index keeps its time, an archive has none") {
    const Scratch cache;
    cache.write("cache/0123abcd.json", "{}");
    cache.write("a-1-0.conda", "a");
    const timespec times[2] = {{1'600'000'000, 5}, {1'600'000'000, 5}};
    REQUIRE(::utimensat(AT_FDCWD, cache.at("cache/0123abcd.json").c_str(), times, 0) == 0);
    const std::vector<PackInput> inputs{input(cache, CacheEntryKind::archive, "a-1-0.conda"),
                                        input(cache, CacheEntryKind::index, "cache/0123abcd.json")};
    const auto packed = pack(inputs);
    SingleFile facts;
    CHECK(content_of(packed[1], "cache/0123abcd.json", &facts) == "{}");
    CHECK(facts.modified.tv_sec == 1'600'000'000);
    CHECK(facts.modified.tv_nsec == 5);
    cache.set_mtime("a-1-0.conda", 1'000'000'000);
    CHECK(pack(inputs) == packed);
}

TEST_CASE("what vanishes before it is packed is an error that names it") {
    const Scratch cache;
    const std::vector<PackInput> inputs{input(cache, CacheEntryKind::archive, "a-1-0.conda")};
    PackSource source(inputs);
    const auto chunk = source.next();
    REQUIRE_FALSE(chunk);
    CHECK(chunk.error().describe().find("a-1-0.conda") != std::string::npos);
}

TEST_CASE("frames of stored bytes are zstd's") {
    for (const std::size_t size : {0U, 1U, 131072U, 131073U, 300000U}) {
        const std::string bytes(size, 'x');
        const auto frame = pack_frame(bytes, true);
        REQUIRE(frame);
        std::string out(size + 1, '\0');
        CHECK(ZSTD_decompress(out.data(), out.size(), frame->data(), frame->size()) == size);
        CHECK(out.substr(0, size) == bytes);
    }
}
