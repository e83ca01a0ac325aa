#include "image/tar_stream.hpp"

#include <vector>

#include <catch2/catch.hpp>

using namespace taipan;

namespace {

TarItem file(std::string path, std::string bytes) {
    TarItem item;
    item.path = std::move(path);
    item.size = bytes.size();
    item.bytes = std::move(bytes);
    item.modified = 1700000000;
    return item;
}

std::string all_of(std::vector<TarItem> items, std::size_t piece) {
    std::size_t next = 0;
    TarStream stream([&]() -> Result<std::optional<TarItem>> {
        if (next == items.size()) return std::optional<TarItem>();
        return std::optional(std::move(items[next++]));
    });
    std::string text;
    while (!stream.at_end()) {
        auto bytes = stream.read(piece);
        REQUIRE(bytes);
        CHECK((bytes->size() == piece || stream.at_end()));
        text += *bytes;
    }
    return text;
}

std::vector<TarItem> two_files() {
    std::vector<TarItem> items;
    items.push_back(file("a", "one"));
    items.push_back(file("b", std::string(1000, 'x')));
    return items;
}

} // namespace

TEST_CASE("a member that fits has one header block") {
    const std::string header = layer_tar_header(file("bin/tool", "0123456789"));
    REQUIRE(header.size() == 512);
    CHECK(header.substr(0, 9) == std::string("bin/tool\0", 9));
    CHECK(header.substr(124, 11) == "00000000012");
    CHECK(header.substr(136, 11) == "14524770400");
    CHECK(header[156] == '0');
    CHECK(header.substr(257, 8) == std::string("ustar\0"
                                               "00",
                                               8));
    unsigned sum = 0;
    for (std::size_t i = 0; i < header.size(); ++i) {
        sum += i >= 148 && i < 156 ? unsigned{' '} : static_cast<unsigned char>(header[i]);
    }
    CHECK(std::stoul(header.substr(148, 6), nullptr, 8) == sum);
}

TEST_CASE("a long path is cut at a slash if that is enough") {
    const std::string directory(90, 'd'), name(90, 'n');
    const std::string header = layer_tar_header(file(directory + '/' + name, ""));
    REQUIRE(header.size() == 512);
    CHECK(header.substr(0, 90) == name);
    CHECK(header.substr(345, 90) == directory);
}

TEST_CASE("what does not fit into ustar stands in a PAX header") {
    const std::string name(120, 'n');
    CHECK(layer_tar_header(file(name, "")).find("130 path=" + name + "\n") == 512);
    CHECK(layer_tar_header(file("gr\xc3\xbc\xc3\x9f"
                                "e",
                                ""))
              .find("16 path=gr\xc3\xbc\xc3\x9f"
                    "e\n") == 512);
    TarItem link;
    link.kind = TarItem::Kind::symlink;
    link.path = "link";
    link.target = std::string(101, 't');
    CHECK(layer_tar_header(link).find("linkpath=" + link.target) != std::string::npos);
    TarItem large = file("large", "");
    large.size = std::uint64_t{1} << 33U;
    CHECK(layer_tar_header(large).find("size=8589934592\n") != std::string::npos);
}

TEST_CASE("the bytes do not depend on how they are read") {
    const std::string whole = all_of(two_files(), 1 << 20);
    CHECK(whole.size() == 512 + 512 + 512 + 1024 + 1024);
    CHECK(whole.substr(512, 3) == "one");
    for (const std::size_t piece : std::vector<std::size_t>{1, 7, 512, 513, 4096})
        CHECK(all_of(two_files(), piece) == whole);
    CHECK(all_of({}, 10) == std::string(1024, '\0'));
}

TEST_CASE("the error of a member is that of the stream") {
    TarStream stream(
        []() -> Result<std::optional<TarItem>> { return make_error(ErrorCode::corrupt_package, "no such file"); });
    const auto bytes = stream.read(10);
    REQUIRE_FALSE(bytes);
    CHECK(bytes.error().message == "no such file");
}
