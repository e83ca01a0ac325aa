#include "cache/pack_format.hpp"

#include <limits>
#include <set>

#include <simdjson.h>

#include "base/json_writer.hpp"

namespace taipan {

namespace {

namespace dom = simdjson::dom;

constexpr int pack_version = 1;
constexpr std::string_view footer_mark = "taipanP1";
constexpr std::uint32_t skippable_magic = 0x184D2A50;
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
    std::string_view kind_word, name, sha256, url;
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
    return packed;
}

} // namespace

std::string pack_list_json(const std::vector<PackedEntry>& entries) {
    JsonWriter json(1);
    json.begin_object().member("version", pack_version).key("entries").begin_array();
    for (const auto& packed : entries) {
        json.begin_object().member("kind", to_string(packed.entry.kind)).member("name", packed.entry.name);
        json.member("offset", packed.range.offset).member("size", packed.range.size);
        json.member("sha256", packed.range.sha256);
        if (!packed.url.empty()) json.member("url", packed.url);
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
