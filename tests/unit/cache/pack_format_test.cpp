#include <catch2/catch.hpp>

#include <string>
#include <vector>

#include "cache/pack_format.hpp"

using namespace taipan;

namespace {

PackedEntry entry(CacheEntryKind kind, const std::string& name, std::uint64_t offset, std::uint64_t size) {
    return {{kind, name}, {offset, size, std::string(64, 'a')}, {}, {}};
}

std::string list_of(const std::vector<PackedEntry>& entries) { return pack_list_json(entries); }

} // namespace

TEST_CASE("a list of packed entries is read back as it was written") {
    std::vector<PackedEntry> entries{
        entry(CacheEntryKind::archive, "zlib-1.3-0.conda", 0, 10), entry(CacheEntryKind::package, "zlib-1.3-0", 10, 20),
        entry(CacheEntryKind::bytecode, ".taipan-pyc/python-3.11.0-0/six-1.16-0-abc", 30, 5),
        entry(CacheEntryKind::index, "cache/0123abcd.info.json", 35, 7),
        entry(CacheEntryKind::index, "cache/shards/00ff.tpi", 42, 8)};
    entries[0].url = "https://host/chan/linux-64/zlib-1.3-0.conda";
    entries[0].content_sha256 = std::string(64, 'b');
    const auto read = parse_pack_list(list_of(entries), 50);
    REQUIRE(read);
    REQUIRE(read->size() == entries.size());
    for (std::size_t i = 0; i < entries.size(); ++i) {
        CHECK((*read)[i].entry == entries[i].entry);
        CHECK((*read)[i].range.offset == entries[i].range.offset);
        CHECK((*read)[i].range.size == entries[i].range.size);
        CHECK((*read)[i].range.sha256 == entries[i].range.sha256);
        CHECK((*read)[i].url == entries[i].url);
        CHECK((*read)[i].content_sha256 == entries[i].content_sha256);
    }
}

TEST_CASE("names that leave the cache or are none of an entry are refused") {
    const auto refused = [](CacheEntryKind kind, const std::string& name) {
        const auto read = parse_pack_list(list_of({entry(kind, name, 0, 1)}), 100);
        return !read && read.error().code == ErrorCode::corrupt_package;
    };
    for (const auto* name : {"../zlib-1.3-0.conda", "/tmp/zlib-1.3-0.conda", "a/zlib-1.3-0.conda", "", ".", "..",
                             ".zlib-1.3-0.conda", "urls.txt", "zlib-1.3-0"}) {
        CAPTURE(name);
        CHECK(refused(CacheEntryKind::archive, name));
    }
    for (const auto* name : {"cache", ".taipan-pyc", "zlib-1.3-0/info", "../a-1-0", "zlib-1.3-0.conda", ".a-1-0"}) {
        CAPTURE(name);
        CHECK(refused(CacheEntryKind::package, name));
    }
    for (const auto* name :
         {".taipan-pyc/a", ".taipan-pyc/../a", ".taipan-pyc/a/../b", ".taipan-pyc/a/.b", "a/b", ".taipan-pyc/a/b/c"}) {
        CAPTURE(name);
        CHECK(refused(CacheEntryKind::bytecode, name));
    }
    for (const auto* name : {"cache/../a.json", "cache/a", "a.json", "cache/.a.json", "cache/other/a.tpi",
                             "cache/shards/../a.tpi", "cache/shards"}) {
        CAPTURE(name);
        CHECK(refused(CacheEntryKind::index, name));
    }
}

TEST_CASE("entries that lie outside of the pack, come twice or are incomplete are refused") {
    const auto good = entry(CacheEntryKind::archive, "zlib-1.3-0.conda", 90, 10);
    CHECK(parse_pack_list(list_of({good}), 100));
    CHECK_FALSE(parse_pack_list(list_of({good}), 99));
    CHECK_FALSE(parse_pack_list(list_of({good, good}), 100));
    CHECK_FALSE(parse_pack_list(list_of({entry(CacheEntryKind::archive, "zlib-1.3-0.conda", 101, 1)}), 100));
    CHECK_FALSE(
        parse_pack_list(list_of({entry(CacheEntryKind::archive, "zlib-1.3-0.conda", ~std::uint64_t{0}, 2)}), 100));
    CHECK_FALSE(parse_pack_list(list_of({entry(CacheEntryKind::archive, "zlib-1.3-0.conda", 0, 0)}), 100));
    auto without_hash = good;
    without_hash.range.sha256 = "abc";
    CHECK_FALSE(parse_pack_list(list_of({without_hash}), 100));
    CHECK_FALSE(parse_pack_list("", 100));
    CHECK_FALSE(parse_pack_list("[]", 100));
    CHECK_FALSE(parse_pack_list(R"({"version": 1})", 100));
    CHECK_FALSE(parse_pack_list(R"({"version": 1, "entries": [{"kind": "archive"}]})", 100));
    const auto newer = parse_pack_list(R"({"version": 2, "entries": []})", 100);
    REQUIRE_FALSE(newer);
    CHECK(newer.error().message.find("version 2") != std::string::npos);
}

TEST_CASE("the footer tells where the list is") {
    const PackedRange list{0x1122334455667788U, 99, std::string(32, 'a') + std::string(32, '7')};
    const std::string bytes = pack_footer(list);
    REQUIRE(bytes.size() == pack_footer_bytes);
    const auto read = parse_pack_footer(bytes);
    REQUIRE(read);
    CHECK(read->offset == list.offset);
    CHECK(read->size == list.size);
    CHECK(read->sha256 == list.sha256);
    for (const std::size_t place : {0U, 4U, 8U, 15U}) {
        std::string other = bytes;
        other[place] = static_cast<char>(other[place] ^ 1);
        CHECK_FALSE(parse_pack_footer(other));
    }
    CHECK_FALSE(parse_pack_footer(bytes.substr(1)));
    CHECK_FALSE(parse_pack_footer(""));
}

TEST_CASE("what is told in front of a frame comes back, and belongs to this frame only") {
    const std::string frame = "bytes of a frame";
    const PackPiece piece{
        {CacheEntryKind::archive, "zlib-1.3-0.conda"}, "https://host/c/linux-64/zlib-1.3-0.conda", 0, true, {}};
    const std::string head = pack_piece_head(piece, frame);
    const auto rest = parse_pack_piece_start(head);
    REQUIRE(rest);
    REQUIRE(*rest == head.size() - pack_piece_start_bytes);
    const auto told = parse_pack_piece(std::string_view(head).substr(pack_piece_start_bytes));
    REQUIRE(told);
    CHECK(told->entry == piece.entry);
    CHECK(told->url == piece.url);
    CHECK(told->size == frame.size());
    CHECK(told->last);
    CHECK(belongs_to(*told, frame));
    CHECK_FALSE(belongs_to(*told, "bytes of a grape"));
    PackPiece other = *told;
    other.last = false;
    CHECK_FALSE(belongs_to(other, frame));
}

TEST_CASE("heads that cannot be are refused") {
    const auto text = [](const PackPiece& piece) { return pack_piece_head(piece, "x").substr(pack_piece_start_bytes); };
    CHECK_FALSE(parse_pack_piece(text({{CacheEntryKind::archive, "../zlib-1.3-0.conda"}, {}, 0, true, {}})));
    CHECK_FALSE(parse_pack_piece(text({{CacheEntryKind::archive, "zlib-1.3-0.conda"}, "https://a\nb", 0, true, {}})));
    CHECK_FALSE(parse_pack_piece(""));
    const std::string good = text({{CacheEntryKind::archive, "zlib-1.3-0.conda"}, {}, 0, true, {}});
    CHECK(parse_pack_piece(good));
    for (std::size_t length = 0; length < good.size(); ++length) CHECK_FALSE(parse_pack_piece(good.substr(0, length)));
    CHECK_FALSE(parse_pack_piece_start("\x50\x2a\x4d\x18\x10"));
    CHECK_FALSE(parse_pack_piece_start(std::string("\x51\x2a\x4d\x18\xff\xff\xff\xff", 8)));
}
