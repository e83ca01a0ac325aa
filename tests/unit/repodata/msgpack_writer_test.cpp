#include <catch2/catch.hpp>

#include <string>

#include "repodata/msgpack_writer.hpp"

using namespace taipan;

namespace {

/// The bytes of one value, as hex.
template <class Write> std::string written(Write write) {
    MsgpackWriter out;
    write(out);
    std::string hex;
    constexpr const char* digits = "0123456789abcdef";
    for (const char letter : out.take()) {
        const auto byte = static_cast<unsigned char>(letter);
        hex += digits[byte >> 4U];
        hex += digits[byte & 15U];
    }
    return hex;
}

std::string integer(std::int64_t value) {
    return written([&](MsgpackWriter& out) { out.integer(value); });
}

} // namespace

TEST_CASE("each number takes its shortest form", "[msgpack]") {
    CHECK(integer(0) == "00");
    CHECK(integer(127) == "7f");
    CHECK(integer(128) == "cc80");
    CHECK(integer(256) == "cd0100");
    CHECK(integer(65536) == "ce00010000");
    CHECK(integer(4294967296) == "cf0000000100000000");
    CHECK(integer(-1) == "ff");
    CHECK(integer(-32) == "e0");
    CHECK(integer(-33) == "d0df");
    CHECK(integer(-129) == "d1ff7f");
    CHECK(integer(-32769) == "d2ffff7fff");
    CHECK(integer(-2147483649) == "d3ffffffff7fffffff");
    CHECK(written([](MsgpackWriter& out) { out.real(1.5); }) == "cb3ff8000000000000");
}

TEST_CASE("texts, bytes and collections say how long they are", "[msgpack]") {
    CHECK(written([](MsgpackWriter& out) { out.text("a"); }) == "a161");
    CHECK(written([](MsgpackWriter& out) { out.text(std::string(32, 'x')); }).starts_with("d920"));
    CHECK(written([](MsgpackWriter& out) { out.text(std::string(256, 'x')); }).starts_with("da0100"));
    CHECK(written([](MsgpackWriter& out) { out.text(std::string(65536, 'x')); }).starts_with("db00010000"));
    CHECK(written([](MsgpackWriter& out) { out.binary("ab"); }) == "c4026162");
    CHECK(written([](MsgpackWriter& out) { out.map(15); }) == "8f");
    CHECK(written([](MsgpackWriter& out) { out.map(16); }) == "de0010");
    CHECK(written([](MsgpackWriter& out) { out.map(65536); }) == "df00010000");
    CHECK(written([](MsgpackWriter& out) { out.array(2); }) == "92");
    CHECK(written([](MsgpackWriter& out) { out.array(16); }) == "dc0010");
    CHECK(written([](MsgpackWriter& out) { out.boolean(true); }) == "c3");
    CHECK(written([](MsgpackWriter& out) { out.nil(); }) == "c0");
}
