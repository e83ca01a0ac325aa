#include "repodata/msgpack_writer.hpp"

#include <bit>

namespace taipan {
namespace {

constexpr std::uint64_t one_byte = 0xff, two_bytes = 0xffff, four_bytes = 0xffffffff;

} // namespace

void MsgpackWriter::big_endian(std::uint64_t value, int bytes) {
    for (int shift = (bytes - 1) * 8; shift >= 0; shift -= 8) byte(static_cast<unsigned>(value >> shift) & one_byte);
}

/// Fixed form below 16, then tags `wide_tag` for 16 bits and the one after it for 32.
void MsgpackWriter::collection(std::size_t count, unsigned small_tag, unsigned wide_tag) {
    constexpr std::size_t small = 16;
    if (count < small) {
        byte(small_tag | static_cast<unsigned>(count));
    } else if (count <= two_bytes) {
        byte(wide_tag);
        big_endian(count, 2);
    } else {
        byte(wide_tag + 1);
        big_endian(count, 4);
    }
}

void MsgpackWriter::text(std::string_view value) {
    constexpr std::size_t small = 32;
    if (value.size() < small) {
        byte(0xa0U | static_cast<unsigned>(value.size()));
    } else if (value.size() <= one_byte) {
        byte(0xd9);
        big_endian(value.size(), 1);
    } else if (value.size() <= two_bytes) {
        byte(0xda);
        big_endian(value.size(), 2);
    } else {
        byte(0xdb);
        big_endian(value.size(), 4);
    }
    out_ += value;
}

void MsgpackWriter::binary(std::string_view value) {
    if (value.size() <= one_byte) {
        byte(0xc4);
        big_endian(value.size(), 1);
    } else if (value.size() <= two_bytes) {
        byte(0xc5);
        big_endian(value.size(), 2);
    } else {
        byte(0xc6);
        big_endian(value.size(), 4);
    }
    out_ += value;
}

void MsgpackWriter::unsigned_integer(std::uint64_t value) {
    constexpr std::uint64_t small = 128;
    if (value < small) {
        byte(static_cast<unsigned>(value));
    } else if (value <= one_byte) {
        byte(0xcc);
        big_endian(value, 1);
    } else if (value <= two_bytes) {
        byte(0xcd);
        big_endian(value, 2);
    } else if (value <= four_bytes) {
        byte(0xce);
        big_endian(value, 4);
    } else {
        byte(0xcf);
        big_endian(value, 8);
    }
}

void MsgpackWriter::integer(std::int64_t value) {
    if (value >= 0) return unsigned_integer(static_cast<std::uint64_t>(value));
    const auto bits = static_cast<std::uint64_t>(value); // two's complement, as the format wants it
    if (value >= -32) {
        byte(static_cast<unsigned>(bits & one_byte));
    } else if (value >= INT8_MIN) {
        byte(0xd0);
        big_endian(bits, 1);
    } else if (value >= INT16_MIN) {
        byte(0xd1);
        big_endian(bits, 2);
    } else if (value >= INT32_MIN) {
        byte(0xd2);
        big_endian(bits, 4);
    } else {
        byte(0xd3);
        big_endian(bits, 8);
    }
}

void MsgpackWriter::real(double value) {
    byte(0xcb);
    big_endian(std::bit_cast<std::uint64_t>(value), 8);
}

} // namespace taipan
