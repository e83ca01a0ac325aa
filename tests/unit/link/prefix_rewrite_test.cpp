#include <catch2/catch.hpp>

#include <string>

#include "link/prefix_rewrite.hpp"

using namespace taipan;
using namespace std::string_literals;

namespace {

const std::string placeholder = "/old_placeholder_0123456789"; // 27 bytes

std::string zeros(std::size_t count) { return std::string(count, '\0'); }

std::string rewritten(std::string content, FileMode mode, const std::string& prefix = "/new",
                      Platform platform = Platform::linux_os) {
    const std::string before = content;
    const auto changed = rewrite_prefix(content, placeholder, prefix, mode, platform);
    REQUIRE(changed);
    CHECK(*changed == (before != content));
    return content;
}
std::string binary(const std::string& content, const std::string& prefix = "/new") {
    const std::string result = rewritten(content, FileMode::binary, prefix);
    CHECK(result.size() == content.size());
    return result;
}
std::string text(const std::string& content, const std::string& prefix = "/new",
                 Platform platform = Platform::linux_os) {
    return rewritten(content, FileMode::text, prefix, platform);
}

/// ASCII in units of `width` bytes.
std::string wide(const std::string& ascii, std::size_t width, bool big_endian) {
    std::string out;
    for (char c : ascii) {
        const std::string pad = zeros(width - 1);
        out += big_endian ? pad + c : c + pad;
    }
    return out;
}

} // namespace

TEST_CASE("binary prefixes shrink inside their strings and the file keeps its size") {
    const std::string& p = placeholder;
    CHECK(binary("A" + p + "/lib\0Z"s) == "A/new/lib" + zeros(24) + "Z");
    CHECK(binary(p + "/lib:" + p + "/lib64\0Z"s) == "/new/lib:/new/lib64" + zeros(47) + "Z");
    CHECK(binary(p + "/a\0"s + p + "/b\0"s) == "/new/a" + zeros(24) + "/new/b" + zeros(24));
    CHECK(binary(p + "/noterm") == p + "/noterm");
    CHECK(binary(p + "/x\ny\0Z"s) == "/new/x\ny" + zeros(24) + "Z");
    CHECK(binary("no prefix\0here"s) == "no prefix\0here"s);
    CHECK(binary("") == "");
    CHECK(binary(p + "\0\0x"s) == "/new" + zeros(25) + "x");
    CHECK(binary("-I" + p + "/include -L" + p + "/lib\0rest\0"s) ==
          "-I/new/include -L/new/lib" + zeros(47) + "rest\0"s);
}

TEST_CASE("binary prefixes in wide encodings") {
    const std::string& p = placeholder;
    for (const bool big_endian : {false, true}) {
        for (const std::size_t width : {std::size_t{2}, std::size_t{4}}) {
            const auto w = [&](const std::string& ascii) { return wide(ascii, width, big_endian); };
            CHECK(binary(w(p + "/l") + zeros(width) + "Z") == w("/new/l") + zeros(width + 23 * width) + "Z");
            CHECK(binary("odd" + w(p + ":" + p) + zeros(width) + "Z") ==
                  "odd" + w("/new:/new") + zeros(width + 46 * width) + "Z");
        }
    }
    // U+0100 ends in a zero byte in little endian: two zero bytes in a row are not always a terminator.
    const std::string after = wide("/l", 2, false) + "\x00\x01"s + wide("x", 2, false);
    CHECK(binary(wide(p, 2, false) + after + zeros(2) + "Z") == wide("/new", 2, false) + after + zeros(48) + "Z");
}

TEST_CASE("long placeholders are found as a whole, in every encoding") {
    std::string longer = "/build";
    while (longer.size() < 255) longer += "_placehold";
    longer.resize(255);
    for (const bool big_endian : {false, true}) {
        for (const std::size_t width : {std::size_t{1}, std::size_t{2}, std::size_t{4}}) {
            const auto w = [&](const std::string& ascii) { return wide(ascii, width, big_endian); };
            // The decoy differs only at its very end.
            const std::string decoy = w(longer.substr(0, 254) + "!") + zeros(width);
            std::string content = decoy + w(longer + "/lib") + zeros(width) + "Z";
            const auto changed = rewrite_prefix(content, longer, "/new", FileMode::binary, Platform::linux_os);
            REQUIRE(changed);
            CHECK(*changed);
            CHECK(content == decoy + w("/new/lib") + zeros(width * (1 + 251)) + "Z");
        }
    }
}

TEST_CASE("a prefix that is longer than the placeholder is an error, not a longer file") {
    std::string content = placeholder + "\0"s;
    const std::string before = content;
    const auto result =
        rewrite_prefix(content, placeholder, "/" + std::string(27, 'n'), FileMode::binary, Platform::linux_os);
    REQUIRE_FALSE(result);
    CHECK(result.error().code == ErrorCode::prefix_too_long);
    CHECK(content == before);
    CHECK(binary(placeholder + "/x\0"s, "/" + std::string(26, 'n')) == "/" + std::string(26, 'n') + "/x\0"s);
    // Nothing to replace: the length does not matter.
    CHECK(binary("nothing\0"s, "/" + std::string(40, 'n')) == "nothing\0"s);
}

TEST_CASE("binaries of Windows packages are left alone") {
    CHECK(rewritten(placeholder + "/x\0"s, FileMode::binary, "/new", Platform::windows) == placeholder + "/x\0"s);
}

TEST_CASE("text prefixes are replaced everywhere") {
    const std::string& p = placeholder;
    CHECK(text("#!" + p + "/bin/python -E\nX=" + p + "\n") == "#!/new/bin/python -E\nX=/new\n");
    CHECK(text("X=" + p + "/a b\n", "/new env") == "X=/new env/a b\n");
    CHECK(text("#!/bin/sh\nexec " + p + "/bin/x\n", "/new env") == "#!/bin/sh\nexec /new env/bin/x\n");
    CHECK(text("#!/usr/bin/env python\n" + p) == "#!/usr/bin/env python\n/new");
    CHECK(text(p + p) == "/new/new");
    CHECK(text("nothing") == "nothing");
    CHECK(text(wide(p + "/x", 2, false)) == wide("/new/x", 2, false));
    CHECK(text("a=" + p, "C:\\new", Platform::windows) == "a=C:/new");
    const std::string longer(200, 'n');
    CHECK(text("a=" + p + ";", "/" + longer) == "a=/" + longer + ";");
}

TEST_CASE("shebangs that the kernel cannot read find their program by PATH") {
    const std::string& p = placeholder;
    CHECK(text("#!" + p + "/bin/python -E\nX=" + p + "\n", "/new env") == "#!/usr/bin/env python -E\nX=/new env\n");
    const std::string fits = "/" + std::string(113, 'n'); // "#!" + 114 + "/bin/python" is 127
    CHECK(text("#!" + p + "/bin/python\n", fits) == "#!" + fits + "/bin/python\n");
    CHECK(text("#!" + p + "/bin/python\n", fits + "n") == "#!/usr/bin/env python\n");
    CHECK(text("#! " + p + "/bin/perl -w\nx", fits + "nnnn") == "#!/usr/bin/env perl -w\nx");
    CHECK(text("#!" + p + "/bin/python\n", fits + "n", Platform::macos) == "#!" + fits + "n/bin/python\n");
    // Only the line counts, not the file; and only a line that starts with an absolute path.
    CHECK(text("#!/bin/sh\n# " + p + "\n", fits + fits) == "#!/bin/sh\n# " + fits + fits + "\n");
    CHECK(text("#!python " + std::string(200, 'x') + p + "\n") == "#!python " + std::string(200, 'x') + "/new\n");
}
