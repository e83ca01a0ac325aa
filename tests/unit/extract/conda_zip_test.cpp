#include "extract/conda_zip.hpp"

#include <catch2/catch.hpp>

#include "archive_builder.hpp"

using namespace taipan;
using namespace taipan::test;

namespace {

const ZipPart metadata{"metadata.json", R"({"conda_pkg_format_version": 2})"};
const ZipPart package{"pkg-x-1-0.tar.zst", "PACKAGE"};
const ZipPart info{"info-x-1-0.tar.zst", "INFO"};

void check_refused(const std::string& archive, std::string_view word) {
    MemoryInput input(archive);
    const auto result = open_conda_archive(input);
    REQUIRE_FALSE(result);
    INFO(result.error().message);
    CHECK(result.error().code == ErrorCode::corrupt_package);
    CHECK(result.error().message.find(word) != std::string::npos);
}

ZipPart changed(ZipPart part, void (*change)(ZipPart&)) {
    change(part);
    return part;
}

} // namespace

TEST_CASE("Payloads are found in any order, under any stem, in zip and zip64", "[extract][zip]") {
    const bool zip64 = GENERATE(false, true);
    const bool zip64_end = GENERATE(false, true);
    auto wide_package = package, wide_info = info;
    wide_package.zip64 = wide_info.zip64 = zip64;
    const ZipPart other{"README", "more"};
    for (const auto& parts :
         {std::vector{metadata, wide_package, wide_info}, std::vector{wide_info, wide_package, other, metadata},
          std::vector{wide_package, wide_info}}) {
        const auto archive = zip_of(parts, zip64_end, "a comment PK\x05\x06 that looks like an end");
        MemoryInput input(archive);
        const auto result = open_conda_archive(input);
        REQUIRE(result);
        CHECK(archive.substr(result->package.offset, result->package.size) == "PACKAGE");
        CHECK(archive.substr(result->info.offset, result->info.size) == "INFO");
    }
}

TEST_CASE("Members can be found before the central directory has arrived", "[extract][zip]") {
    const auto archive = zip_of({{"metadata.json", "{}"}, {"pkg-a.tar.zst", "PACKAGE"}});
    MemoryInput input(std::string_view(archive).substr(0, archive.find("PACKAGE") + 7));
    const auto first = zip_member_at(input, 0);
    REQUIRE((first && *first));
    CHECK((*first)->name == "metadata.json");
    const auto second = zip_member_at(input, (*first)->content.offset + (*first)->content.size);
    REQUIRE((second && *second));
    CHECK(archive.substr((*second)->content.offset, (*second)->content.size) == "PACKAGE");
    const auto end = zip_member_at(input, input.size());
    REQUIRE(end);
    CHECK_FALSE(*end);
    // What a local header leaves open is left to the central directory.
    for (const ZipPart& part : {ZipPart{"a", "x", true}, ZipPart{"a", "x", false, 8}, ZipPart{"a", "x", false, 0, 1},
                                ZipPart{"a", "x", false, 0, 8}}) {
        const auto odd = zip_of({part});
        MemoryInput odd_input(odd);
        const auto member = zip_member_at(odd_input, 0);
        REQUIRE(member);
        CHECK_FALSE(*member);
    }
}

TEST_CASE("A .conda archive must have its three members, once", "[extract][zip]") {
    check_refused(zip_of({metadata, info}), "pkg-");
    check_refused(zip_of({metadata, package}), "info-");
    check_refused(zip_of({metadata, package, info, package}), "second");
    check_refused(zip_of({}), "pkg-");
    check_refused("", "zip");
    check_refused("PK", "zip");
    check_refused(zip_of({{"metadata.json", R"({"conda_pkg_format_version": 3})"}, package, info}), "version 3");
    check_refused(zip_of({{"metadata.json", R"({"conda_pkg_format_version": "2"})"}, package, info}), "version");
    check_refused(zip_of({{"metadata.json", "{"}, package, info}), "version");
    check_refused(zip_of({{"metadata.json", ""}, package, info}), "version");
}

TEST_CASE("Deflated, encrypted and contradictory members are refused", "[extract][zip]") {
    const auto with = [](void (*change)(ZipPart&)) { return zip_of({metadata, changed(package, change), info}); };
    check_refused(with([](ZipPart& part) { part.method = 8; }), "compressed");
    check_refused(with([](ZipPart& part) { part.flags = 1; }), "encrypted");
    check_refused(with([](ZipPart& part) { part.flags = 1U << 13; }), "encrypted");
    check_refused(with([](ZipPart& part) { part.local_name = "pkg-y-1-0.tar.zst"; }), "contradict");
    check_refused(with([](ZipPart& part) { part.claim_size = 3; }), "contradict");
    check_refused(with([](ZipPart& part) { part.claim_size = 0x7fffffff; }), "outside");
    check_refused(with([](ZipPart& part) { part.claim_offset = 0; }), "contradict");
    check_refused(with([](ZipPart& part) { part.claim_offset = 5; }), "not where");
    check_refused(with([](ZipPart& part) { part.claim_offset = 0x7fffffff; }), "outside");
    const auto wide = [](std::int64_t offset, std::int64_t size) {
        ZipPart part = package;
        part.zip64 = true;
        part.claim_offset = offset;
        part.claim_size = size;
        return zip_of({metadata, part, info}, true);
    };
    check_refused(wide(INT64_MAX, -1), "outside");
    check_refused(wide(-1, INT64_MAX), "outside");
    check_refused(wide(-1, 100), "outside"); // would reach into the central directory
}

TEST_CASE("Overlapping members are refused", "[extract][zip]") {
    // The first member's content holds a whole second member, which the central directory names too.
    const auto inner = zip_of({package});
    auto outer = info;
    outer.content = inner.substr(0, 30 + package.name.size() + package.content.size());
    auto nested = package;
    nested.claim_offset = static_cast<std::int64_t>(30 + outer.name.size());
    check_refused(zip_of({outer, nested, metadata}), "overlap");
}

TEST_CASE("A damaged byte of the directory is an error or harmless, never a view outside", "[extract][zip]") {
    auto wide = package;
    wide.zip64 = true;
    const auto good = zip_of({metadata, wide, info}, true, "comment");
    for (std::size_t at = 0; at < good.size(); ++at) {
        for (const int bit : {0, 3, 7}) {
            auto bad = good;
            bad[at] = static_cast<char>(bad[at] ^ (1 << bit));
            MemoryInput input(bad);
            const auto result = list_stored_zip(input);
            if (!result) continue;
            for (const auto& member : *result) {
                CHECK(member.content.offset <= bad.size());
                CHECK(member.content.size <= bad.size() - member.content.offset);
            }
        }
    }
}
