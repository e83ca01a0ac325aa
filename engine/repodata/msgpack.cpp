#include "repodata/msgpack.hpp"

#include <limits>

namespace taipan::repodata {
namespace {

/// Deeper than anything in an index; bounds the recursion of skip().
constexpr int deepest = 32;

// The first byte of a value (the MessagePack specification's names).
enum Head : unsigned char {
    fixmap = 0x80,
    fixarray = 0x90,
    fixstr = 0xa0,
    nil = 0xc0,
    never_used = 0xc1,
    false_ = 0xc2,
    true_ = 0xc3,
    bin8 = 0xc4,
    bin32 = 0xc6,
    ext8 = 0xc7,
    float32 = 0xca,
    float64 = 0xcb,
    uint8 = 0xcc,
    int8 = 0xd0,
    int64 = 0xd3,
    fixext1 = 0xd4,
    str8 = 0xd9,
    str32 = 0xdb,
    array16 = 0xdc,
    array32 = 0xdd,
    map16 = 0xde,
    map32 = 0xdf,
    negative = 0xe0,
};

} // namespace

MsgpackReader::Kind MsgpackReader::peek() const {
    if (broken_ || rest_.empty()) return Kind::broken;
    const unsigned char byte = head();
    if (byte < fixmap || byte >= negative || (byte >= uint8 && byte <= int64)) return Kind::integer;
    if (byte < fixarray || byte == map16 || byte == map32) return Kind::map;
    if (byte < fixstr || byte == array16 || byte == array32) return Kind::array;
    if (byte < nil || (byte >= bin8 && byte <= bin32) || (byte >= str8 && byte <= str32)) return Kind::text;
    if (byte == nil) return Kind::nil;
    if (byte == false_ || byte == true_) return Kind::boolean;
    if (byte == float32 || byte == float64) return Kind::real;
    return byte == never_used ? Kind::broken : Kind::other;
}

void MsgpackReader::fail() {
    broken_ = true;
    rest_ = {};
}

/// A big-endian number.
std::uint64_t MsgpackReader::number(std::size_t bytes) {
    if (rest_.size() < bytes) {
        fail();
        return 0;
    }
    std::uint64_t value = 0;
    for (std::size_t i = 0; i < bytes; ++i) value = value << 8U | static_cast<unsigned char>(rest_[i]);
    rest_.remove_prefix(bytes);
    return value;
}

std::optional<std::string_view> MsgpackReader::take(std::uint64_t size) {
    if (broken_ || size > rest_.size()) {
        fail();
        return std::nullopt;
    }
    const auto bytes = rest_.substr(0, static_cast<std::size_t>(size));
    rest_.remove_prefix(bytes.size());
    return bytes;
}

std::optional<std::uint32_t> MsgpackReader::map() {
    if (peek() != Kind::map) return std::nullopt;
    const auto byte = static_cast<unsigned char>(number(1));
    // A pair takes two bytes at least: what claims more than there can be is refused before anybody counts to it.
    const std::uint64_t count = byte < fixarray ? byte & 0x0fU : number(byte == map16 ? 2 : 4);
    if (broken_ || count > rest_.size() / 2) {
        fail();
        return std::nullopt;
    }
    return static_cast<std::uint32_t>(count);
}

std::optional<std::uint32_t> MsgpackReader::array() {
    if (peek() != Kind::array) return std::nullopt;
    const auto byte = static_cast<unsigned char>(number(1));
    const std::uint64_t count = byte < fixstr ? byte & 0x0fU : number(byte == array16 ? 2 : 4);
    if (broken_ || count > rest_.size()) {
        fail();
        return std::nullopt;
    }
    return static_cast<std::uint32_t>(count);
}

std::optional<std::string_view> MsgpackReader::text() {
    if (peek() != Kind::text) return std::nullopt;
    const auto byte = static_cast<unsigned char>(number(1));
    if (byte < nil) return take(byte & 0x1fU);
    const unsigned step = byte <= bin32 ? byte - bin8 : byte - str8;
    return take(number(std::size_t{1} << step));
}

std::optional<std::int64_t> MsgpackReader::integer() {
    if (peek() != Kind::integer) return std::nullopt;
    const auto byte = static_cast<unsigned char>(number(1));
    if (byte < fixmap) return byte;
    if (byte >= negative) return static_cast<signed char>(byte);
    const bool is_signed = byte >= int8;
    const std::size_t bytes = std::size_t{1} << (is_signed ? byte - int8 : byte - uint8);
    const std::uint64_t value = number(bytes);
    if (broken_) return std::nullopt;
    if (!is_signed) {
        if (value > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max())) return std::nullopt;
        return static_cast<std::int64_t>(value);
    }
    const unsigned unused = 64 - static_cast<unsigned>(bytes) * 8;
    return static_cast<std::int64_t>(value << unused) >> unused;
}

std::optional<bool> MsgpackReader::boolean() {
    if (peek() != Kind::boolean) return std::nullopt;
    return number(1) == true_;
}

bool MsgpackReader::skip(int depth) {
    if (depth > deepest) fail();
    switch (peek()) {
    case Kind::nil: number(1); break;
    case Kind::boolean: boolean(); break;
    case Kind::integer: integer(); break;
    case Kind::real: take(head() == float32 ? 5 : 9); break;
    case Kind::text: text(); break;
    case Kind::array: {
        const std::uint32_t count = array().value_or(0);
        for (std::uint32_t i = 0; i < count && !broken_; ++i) skip(depth + 1);
        break;
    }
    case Kind::map: {
        const std::uint32_t count = map().value_or(0);
        for (std::uint64_t i = 0; i < count * std::uint64_t{2} && !broken_; ++i) skip(depth + 1);
        break;
    }
    case Kind::other: {
        const auto byte = static_cast<unsigned char>(number(1));
        const std::uint64_t size =
            byte >= fixext1 ? std::uint64_t{1} << (byte - fixext1) : number(std::size_t{1} << (byte - ext8));
        take(size + 1); // and its type
        break;
    }
    case Kind::broken: fail(); break;
    }
    return !broken_;
}

} // namespace taipan::repodata
