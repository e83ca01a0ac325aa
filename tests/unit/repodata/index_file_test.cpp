#include <catch2/catch.hpp>

#include <cstring>
#include <random>

#include "base/filesystem.hpp"
#include "repodata/checksum.hpp"
#include "repodata/index_file.hpp"
#include "repodata/index_format.hpp"
#include "repodata/index_samples.hpp"
#include "repodata/name_block.hpp"
#include "repodata/subdir_index.hpp"
#include "scratch.hpp"

using namespace taipan;
using namespace taipan::repodata;
using namespace taipan::test;

namespace {

/// Reads everything that can be read; true when nothing was found to be wrong.
bool read_all(const IndexFile& file) {
    bool good = true;
    for (std::size_t at = 0; at < file.name_count(); ++at) {
        const auto blocks = file.blocks(at);
        if (!blocks) good = false;
        for (std::size_t part = 0; blocks && part < blocks->size(); ++part) {
            const auto& block = (*blocks)[part];
            Arena arena;
            good = block.needed_names() && good;
            for (std::uint32_t i = 0; i < block.size(); ++i)
                good = block.record(i, arena) && block.version_key(i) && good;
        }
    }
    return good;
}

} // namespace

TEST_CASE("an index file gives back what was put into it", "[repodata][index]") {
    const std::string json = sample_repodata(300);
    const auto bytes = index_bytes(json, {.url = "https://example.org/chan/linux-64", .mtime_ns = 5, .size = 6});
    auto file = IndexFile::of_bytes(bytes);
    REQUIRE(file);
    CHECK(file->source() == IndexSource{"https://example.org/chan/linux-64", 5, 6});
    CHECK(file->info().subdir == "linux-64");
    CHECK(file->counters().records == 300);
    CHECK(read_all(*file));
    for (std::size_t at = 0; at < file->name_count(); ++at) {
        CHECK(file->find(file->name(at)) == at);
        if (at > 0) CHECK(file->name(at - 1) < file->name(at));
    }
    CHECK_FALSE(file->find("no-such-name"));
}

TEST_CASE("an index file survives the disk", "[repodata][index]") {
    const Scratch scratch;
    const std::string path = scratch.at("x.tpi");
    REQUIRE(write_file_atomic(path, index_bytes(sample_repodata(50), {})));
    const auto file = IndexFile::open(path);
    REQUIRE(file);
    CHECK(read_all(*file));
    CHECK_FALSE(IndexFile::open(scratch.at("none.tpi")));
    CHECK_FALSE(IndexFile::open(scratch.path)); // a directory
}

TEST_CASE("damage anywhere in an index file is found", "[repodata][index]") {
    const std::string good = index_bytes(sample_repodata(40), {.url = "u", .mtime_ns = 1, .size = 2});
    for (std::size_t at = 0; at < good.size(); ++at) {
        std::string bad = good;
        bad[at] = static_cast<char>(bad[at] ^ (1 << (at % 8)));
        const auto file = IndexFile::of_bytes(std::move(bad));
        INFO(at);
        CHECK_FALSE((file && read_all(*file)));
    }
    for (std::size_t size = 0; size < good.size(); size += 7) CHECK_FALSE(IndexFile::of_bytes(good.substr(0, size)));
    CHECK_FALSE(IndexFile::of_bytes(good + "x"));
}

TEST_CASE("a file of another version or machine is not read", "[repodata][index]") {
    const std::string good = index_bytes(sample_repodata(5), {});
    const auto changed = [&](const auto& change) {
        std::string bytes = good;
        IndexHeader header;
        std::memcpy(&header, bytes.data(), sizeof header);
        change(header);
        std::memcpy(bytes.data(), &header, sizeof header);
        header.checksum = checksum(std::string_view(bytes).substr(0, offsetof(IndexHeader, checksum)));
        std::memcpy(bytes.data(), &header, sizeof header);
        return IndexFile::of_bytes(std::move(bytes));
    };
    CHECK(changed([](IndexHeader&) {}));
    CHECK_FALSE(changed([](IndexHeader& header) { ++header.version; }));
    CHECK_FALSE(changed([](IndexHeader& header) { header.byte_order = 0x04030201; }));
    CHECK_FALSE(changed([](IndexHeader& header) { header.names = 0xffffffff; }));
    CHECK_FALSE(changed([](IndexHeader& header) { header.names_place = ~std::uint64_t{7}; }));
    CHECK_FALSE(changed([](IndexHeader& header) { header.text_size = 0xffffffff; }));
    CHECK_FALSE(changed([](IndexHeader& header) { header.url = {0xffffffff, 1}; }));
}

TEST_CASE("a block with any numbers in it is read without harm", "[repodata][index]") {
    std::string good;
    BlockWriter writer;
    Arena arena;
    RecordView record = sample_record(arena);
    writer.add(record);
    record.version = "2.0";
    writer.add(record);
    writer.finish(good);
    REQUIRE(good.size() % block_alignment == 0);
    std::mt19937 random(7); // NOLINT: the same numbers each time
    for (int round = 0; round < 20'000; ++round) {
        std::string bad = good;
        for (int change = 0; change < 3; ++change) {
            const std::size_t at = random() % (bad.size() / 4) * 4;
            const auto value = static_cast<std::uint32_t>(random() % 3 == 0 ? random() : random() % 64);
            std::memcpy(bad.data() + at, &value, sizeof value);
        }
        const auto block = BlockReader::open(bad, "x");
        if (!block) continue;
        Arena texts;
        static_cast<void>(block->needed_names());
        for (std::uint32_t i = 0; i < std::min<std::uint32_t>(block->size(), 50); ++i) {
            if (const auto read = block->record(i, texts))
                CHECK(read->version.size() + read->build.size() + read->fn.size() < bad.size() * 4);
            static_cast<void>(block->version_key(i));
        }
        CHECK_FALSE(block->record(block->size(), texts));
    }
}

TEST_CASE("however the text comes, the index is the same", "[repodata][index]") {
    const std::string json = sample_repodata(100);
    const std::string whole = index_bytes(json, {});
    for (const std::size_t piece : {1U, 3U, 63U, 64U, 65U, 1000U}) CHECK((index_bytes(json, {}, piece) == whole));
}

TEST_CASE("a text of many batches", "[repodata][index]") {
    constexpr int count = 12'000;
    const std::string json = sample_repodata(count);
    REQUIRE(json.size() > 4 * Splitter::batch_size);
    Channel channel;
    channel.base_url = "https://example.org/chan";
    const auto index = SubdirIndex::parse(json, channel, "linux-64");
    REQUIRE(index);
    CHECK(index->size() == count);
    CHECK(index->counters().removed == 1);
    CHECK(index->names().size() == count / 8);
    for (int i = 0; i < count / 8; ++i) {
        const auto records = index->records("package-" + std::to_string(i));
        REQUIRE(records);
        REQUIRE(records->size() == 8);
        CHECK(records->front().version == "1.2");
        CHECK(records->back().version == "1.1");
        CHECK(records->back().fn == "package-" + std::to_string(i) + "-1.1-h_0.tar.bz2");
        CHECK(records->back().license == "MIT \"}{\\");
    }
}

TEST_CASE("a record longer than a batch", "[repodata][index]") {
    const std::string license(3 * Splitter::batch_size, 'l');
    const std::string json = R"({"packages":{"x-1-0.tar.bz2":{"name":"x","version":"1","build":"0","license":")" +
                             license + R"("},"y-1-0.tar.bz2":{"name":"y","version":"1","build":"0"}}})";
    Channel channel;
    const auto index = SubdirIndex::parse(json, channel, "linux-64");
    REQUIRE(index);
    CHECK(index->size() == 2);
    CHECK(index->records("x")->front().license == license);
}

TEST_CASE("keys that only look like sections, and sections with escapes", "[repodata][index]") {
    Channel channel;
    const auto size = [&](const std::string& json) {
        const auto index = SubdirIndex::parse(json, channel, "linux-64");
        return index ? static_cast<int>(index->size()) : -1;
    };
    const std::string member = R"("x-1-0.tar.bz2":{"name":"x","version":"1","build":"0"})";
    CHECK(size(R"({"pack\u0061ges":{)" + member + "}}") == 1);
    CHECK(size(R"({"other":{"packages":{)" + member + "}}}") == 0);
    CHECK(size(R"({"other":[{"packages":{)" + member + "}}]}") == 0);
    CHECK(size(R"({"signatures":"\"packages\":{","packages" : {)" + member + "}}") == 1);
    CHECK(size(R"({"packages":{}, "packages":{)" + member + "}}") == 1);
    CHECK(size(R"({"packages":{)" + member + ",}}") == -1);
    CHECK(size(R"({"packages":{)" + member + member + "}}") == -1);
    CHECK(size(R"({"packages":{)" + member + "}") == -1);
    CHECK(size(R"({"packages":{)" + member + "}}}") == -1);
}
