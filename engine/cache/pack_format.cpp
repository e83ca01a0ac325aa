#include "cache/pack_format.hpp"

#include <array>
#include <charconv>
#include <limits>
#include <set>

#include <simdjson.h>

#include "base/digest.hpp"
#include "base/json_writer.hpp"

namespace taipan {

namespace {

namespace dom = simdjson::dom;

constexpr int pack_version = 1;
constexpr std::string_view footer_mark = "taipanP1";
constexpr std::uint32_t skippable_magic = 0x184D2A50;
constexpr std::uint32_t piece_magic = skippable_magic + 1;
constexpr std::string_view piece_mark = "taipan-piece 1";
constexpr std::size_t largest_piece_head = 16 << 10;
constexpr std::uint64_t largest_piece = std::uint64_t{64} << 20U;
constexpr std::size_t sha256_digits = 64;

template <class Number> void put_little_endian(std::string& out, Number number) {
    for (std::size_t i = 0; i < sizeof number; ++i) out += static_cast<char>((number >> (8U * i)) & 0xFFU);
}

template <class Number> Number little_endian(std::string_view bytes) {
    Number number = 0;
    for (std::size_t i = 0; i < sizeof number; ++i) {
        number = static_cast<Number>(number | (static_cast<Number>(static_cast<unsigned char>(bytes[i])) << (8U * i)));
    }
    return number;
}

bool is_sha256(std::string_view text) {
    return text.size() == sha256_digits && text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

std::string from_hex(std::string_view digits) {
    const auto value = [](char digit) { return static_cast<unsigned>(digit <= '9' ? digit - '0' : digit - 'a' + 10); };
    std::string bytes;
    for (std::size_t i = 0; i + 1 < digits.size(); i += 2)
        bytes += static_cast<char>((value(digits[i]) << 4U) | value(digits[i + 1]));
    return bytes;
}

std::string to_hex(std::string_view bytes) {
    constexpr std::string_view digits = "0123456789abcdef";
    std::string text;
    for (const char byte : bytes) {
        text += digits[static_cast<unsigned char>(byte) >> 4U];
        text += digits[static_cast<unsigned char>(byte) & 15U];
    }
    return text;
}

std::optional<CacheEntryKind> kind_of(std::string_view word) {
    for (int kind = 0; kind < cache_entry_kinds; ++kind) {
        if (to_string(static_cast<CacheEntryKind>(kind)) == word) return static_cast<CacheEntryKind>(kind);
    }
    return std::nullopt;
}

Error damaged(std::string what) {
    return make_error(ErrorCode::corrupt_package, "its list of entries " + std::move(what));
}

Result<PackedEntry> parse_entry(dom::element item, std::uint64_t pack_size) {
    std::string_view kind_word, name, sha256, url, content;
    PackedEntry packed;
    if (item["kind"].get(kind_word) != simdjson::SUCCESS || item["name"].get(name) != simdjson::SUCCESS ||
        item["offset"].get(packed.range.offset) != simdjson::SUCCESS ||
        item["size"].get(packed.range.size) != simdjson::SUCCESS || item["sha256"].get(sha256) != simdjson::SUCCESS) {
        return damaged("has an incomplete entry");
    }
    const auto kind = kind_of(kind_word);
    if (!kind || !is_entry_name(*kind, name)) return damaged("has a name that no entry of a cache can have");
    const auto& range = packed.range;
    if (range.size == 0 || range.offset > pack_size || range.size > pack_size - range.offset || !is_sha256(sha256)) {
        return damaged("has a place that is none");
    }
    packed.entry = {*kind, std::string(name)};
    packed.range.sha256 = sha256;
    if (item["url"].get(url) == simdjson::SUCCESS && url.find_first_of("\n\r") == std::string_view::npos)
        packed.url = url;
    if (item["content_sha256"].get(content) == simdjson::SUCCESS && is_sha256(content)) packed.content_sha256 = content;
    return packed;
}

/// The fields of a head as texts that end with NUL, all but the digest.
std::string fields_of(const PackPiece& piece) {
    std::string text;
    for (const std::string_view field :
         {piece_mark, to_string(piece.entry.kind), std::string_view(piece.entry.name), std::string_view(piece.url)}) {
        text.append(field).push_back('\0');
    }
    text.append(std::to_string(piece.size)).push_back('\0');
    return text.append(piece.last ? "last" : "more") + '\0';
}

std::string digest_of(const PackPiece& piece, std::string_view frame) {
    Digest digest(Digest::Kind::sha256);
    digest.update(fields_of(piece));
    digest.update(frame);
    return digest.finish_hex();
}

} // namespace

std::string pack_piece_head(PackPiece piece, std::string_view frame) {
    piece.size = frame.size();
    const std::string payload = fields_of(piece) + digest_of(piece, frame);
    std::string head;
    put_little_endian(head, piece_magic);
    put_little_endian(head, static_cast<std::uint32_t>(payload.size()));
    return head + payload;
}

std::optional<std::size_t> parse_pack_piece_start(std::string_view bytes) {
    if (bytes.size() < pack_piece_start_bytes || little_endian<std::uint32_t>(bytes) != piece_magic) return {};
    const std::size_t size = little_endian<std::uint32_t>(bytes.substr(4));
    return size <= largest_piece_head ? std::optional(size) : std::nullopt;
}

Result<PackPiece> parse_pack_piece(std::string_view bytes) {
    std::array<std::string_view, 6> fields;
    for (std::string_view& field : fields) {
        const std::size_t end = bytes.find('\0');
        if (end == std::string_view::npos) return make_error(ErrorCode::corrupt_package, "one of its heads is cut off");
        field = bytes.substr(0, end);
        bytes.remove_prefix(end + 1);
    }
    const auto& [mark, kind_word, name, url, size, last] = fields;
    PackPiece piece;
    const auto kind = kind_of(kind_word);
    const auto number = std::from_chars(size.data(), size.data() + size.size(), piece.size);
    if (mark != piece_mark || !kind || !is_entry_name(*kind, name) || !is_sha256(bytes) ||
        url.find_first_of("\n\r") != std::string_view::npos || number.ec != std::errc() ||
        number.ptr != size.data() + size.size() || piece.size == 0 || piece.size > largest_piece) {
        return make_error(ErrorCode::corrupt_package, "one of its heads tells what cannot be");
    }
    piece.entry = {*kind, std::string(name)};
    piece.url = url;
    piece.last = last == "last";
    piece.sha256 = bytes;
    return piece;
}

bool belongs_to(const PackPiece& piece, std::string_view frame) {
    return frame.size() == piece.size && digest_of(piece, frame) == piece.sha256;
}

std::string pack_list_json(const std::vector<PackedEntry>& entries) {
    JsonWriter json(1);
    json.begin_object().member("version", pack_version).key("entries").begin_array();
    for (const auto& packed : entries) {
        json.begin_object().member("kind", to_string(packed.entry.kind)).member("name", packed.entry.name);
        json.member("offset", packed.range.offset).member("size", packed.range.size);
        json.member("sha256", packed.range.sha256);
        if (!packed.url.empty()) json.member("url", packed.url);
        if (!packed.content_sha256.empty()) json.member("content_sha256", packed.content_sha256);
        json.end_object();
    }
    return json.end_array().end_object().take() + '\n';
}

Result<std::vector<PackedEntry>> parse_pack_list(std::string_view json, std::uint64_t pack_size) {
    dom::parser parser;
    dom::element root;
    std::int64_t version = 0;
    dom::array items;
    if (parser.parse(json.data(), json.size()).get(root) != simdjson::SUCCESS ||
        root["version"].get(version) != simdjson::SUCCESS) {
        return damaged("is no list");
    }
    if (version != pack_version) {
        return make_error(ErrorCode::corrupt_package, "it has version " + std::to_string(version) +
                                                          ", which this taipan does not know; pack the cache again");
    }
    if (root["entries"].get(items) != simdjson::SUCCESS) return damaged("is not there");
    std::vector<PackedEntry> entries;
    std::set<std::string> names;
    for (const dom::element item : items) {
        TAIPAN_TRY(auto packed, parse_entry(item, pack_size));
        if (!names.insert(packed.entry.name).second) return damaged("names " + packed.entry.name + " twice");
        entries.push_back(std::move(packed));
    }
    return entries;
}

std::string pack_footer(const PackedRange& list) {
    std::string bytes;
    put_little_endian(bytes, skippable_magic);
    put_little_endian(bytes, static_cast<std::uint32_t>(pack_footer_bytes - 8));
    bytes += footer_mark;
    put_little_endian(bytes, list.offset);
    put_little_endian(bytes, list.size);
    return bytes + from_hex(list.sha256);
}

std::optional<PackedRange> parse_pack_footer(std::string_view bytes) {
    if (bytes.size() != pack_footer_bytes || little_endian<std::uint32_t>(bytes) != skippable_magic ||
        little_endian<std::uint32_t>(bytes.substr(4)) != pack_footer_bytes - 8 ||
        bytes.substr(8, footer_mark.size()) != footer_mark) {
        return std::nullopt;
    }
    PackedRange list;
    list.offset = little_endian<std::uint64_t>(bytes.substr(16));
    list.size = little_endian<std::uint64_t>(bytes.substr(24));
    list.sha256 = to_hex(bytes.substr(32));
    return list;
}

} // namespace taipan
