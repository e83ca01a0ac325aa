#include <fcntl.h>
#include <locale.h>
#include <sys/resource.h>
#include <unistd.h>

#include "sandbox.hpp"

using namespace taipan;
using namespace taipan::test;

namespace {

/// Lengths at which an archive is cut: every one near the end, where the checks differ, and some before.
std::size_t next_cut(std::size_t cut, std::size_t size) { return cut + (cut + 600 < size ? 211U : 1U); }

} // namespace

TEST_CASE("A .conda archive becomes its tree, and its metadata texts are handed out", "[extract]") {
    Sandbox box;
    TarBuilder info;
    info.index(R"({"name": "x"})").file("info/link.json", "L").file("info/files", "F").file("info/has_prefix", "H");
    info.file("info/no_link", "N").file("info/no_softlink", "S").file("info/about.json", "A");
    const auto result = box.extract(conda_of(demo_payload().build(), info.build()));
    REQUIRE(result);
    check_payload(box);
    CHECK(result->files == 5 + 8);
    CHECK(result->info.index_json == R"({"name": "x"})");
    CHECK(result->info.paths_json == R"({"paths_version": 1, "paths": []})");
    CHECK(result->info.link_json == "L");
    CHECK(result->info.files == "F");
    CHECK(result->info.has_prefix == "H");
    CHECK(result->info.no_link == "N");
    CHECK(result->info.no_softlink == "S");
    CHECK(box.read("info/about.json") == "A");
}

TEST_CASE("A .tar.bz2 archive becomes its tree, also in several streams", "[extract]") {
    Sandbox box;
    const auto tar = demo_payload().index().build();
    REQUIRE(box.extract(bzip2_of(tar), ArchiveFormat::tar_bz2));
    check_payload(box);

    const std::string_view view = tar;
    const auto streams = bzip2_of(view.substr(0, 1000)) + bzip2_of(view.substr(1000, 150'000)) +
                         bzip2_of(view.substr(151'000)) + std::string(512, '\0');
    const auto result = box.extract(streams, ArchiveFormat::tar_bz2);
    REQUIRE(result);
    check_payload(box);
    CHECK(result->info.index_json == R"({"name": "demo"})");
    check_refused(box.extract(streams + "BZ", ArchiveFormat::tar_bz2), "bzip2");
    check_refused(box.extract(streams + "garbage", ArchiveFormat::tar_bz2), "bzip2");
    check_refused(box.extract("", ArchiveFormat::tar_bz2), "bzip2");
}

TEST_CASE("All three dialects of tar with long names and odd bytes are understood", "[extract]") {
    const auto format = GENERATE(TarBuilder::Format::ustar, TarBuilder::Format::gnu, TarBuilder::Format::pax);
    Sandbox box;
    TarBuilder tar(format);
    const std::string latin = "share/caf\xe9.txt";        // not UTF-8
    const std::string composed = "share/\xc3\xa9.txt";    // e with acute, one code point
    const std::string decomposed = "share/e\xcc\x81.txt"; // the same letter, two code points: another name
    const bool long_names = format != TarBuilder::Format::ustar;
    const std::string longest = "share/" + std::string(200, 'd') + "/" + std::string(180, 'f');
    tar.index().file(composed, "composed").file(decomposed, "decomposed").symlink("share/l\xc3\xaf", composed);
    if (format != TarBuilder::Format::pax) tar.file(latin, "latin");
    if (long_names) tar.file(longest, "long").symlink("share/s", std::string(300, 't'));
    REQUIRE(box.extract_tar(tar));
    CHECK(box.read(composed) == "composed");
    CHECK(box.read(decomposed) == "decomposed");
    CHECK(fs::read_symlink(box.tree() / "share/l\xc3\xaf") == composed);
    if (format != TarBuilder::Format::pax) CHECK(box.read(latin) == "latin");
    if (long_names) {
        CHECK(box.read(longest) == "long");
        CHECK(fs::read_symlink(box.tree() / "share/s") == std::string(300, 't'));
    }
}

TEST_CASE("Names are kept byte for byte, whatever locale the process has", "[extract]") {
    const char* before = ::setlocale(LC_ALL, nullptr);
    const std::string saved = before == nullptr ? "C" : before;
    if (::setlocale(LC_ALL, "C.UTF-8") == nullptr) return;
    Sandbox box;
    const std::string decomposed = "share/e\xcc\x81.txt";
    const auto tar = TarBuilder().index().file(decomposed, "two code points").build();
    const auto result = box.extract(bzip2_of(tar), ArchiveFormat::tar_bz2);
    ::setlocale(LC_ALL, saved.c_str());
    REQUIRE(result);
    CHECK(box.read(decomposed) == "two code points");
}

TEST_CASE("Modes and times are kept, special bits and owners are not", "[extract]") {
    Sandbox box;
    TarBuilder tar;
    tar.index().file("bin/plain", "x", 0644, 1234567890).file("bin/run", "x", 0755, 315532801);
    tar.file("bin/root", "x", 06755).file("bin/sticky", "x", 01777).file("bin/old", "x", 0444, 0).fifo("bin/pipe");
    const auto mask = ::umask(022);
    const auto result = box.extract_tar(tar);
    ::umask(mask);
    REQUIRE(result);
    CHECK((box.status("bin/plain").st_mode & 07777) == 0644);
    CHECK((box.status("bin/run").st_mode & 07777) == 0755);
    CHECK((box.status("bin/root").st_mode & 07777) == 0755);
    CHECK((box.status("bin/sticky").st_mode & 07777) == 0755);
    CHECK((box.status("bin/old").st_mode & 07777) == 0444);
    CHECK((box.status("bin").st_mode & 07777) == 0755);
    CHECK(box.status("bin/plain").st_mtime == 1234567890);
    CHECK(box.status("bin/run").st_mtime == 315532801);
    CHECK(box.status("bin/old").st_mtime == 315532800); // never before 1980
    CHECK(box.status("bin/plain").st_uid == ::geteuid());
    CHECK_FALSE(fs::exists(fs::symlink_status(box.tree() / "bin/pipe")));
}

TEST_CASE("More directories than handles", "[extract]") {
    Sandbox box;
    ExtractContext context(2);
    TarBuilder tar;
    tar.index();
    for (int round = 0; round < 2; ++round) {
        for (int i = 0; i < 40; ++i) {
            tar.file("d" + std::to_string(i % 7) + "/e" + std::to_string(i) + "/f/g" + std::to_string(round), "x");
        }
    }
    fs::create_directory(box.tree());
    const UniqueFd fd(::open(box.tree().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    const std::string archive = bzip2_of(tar.build());
    MemoryInput input(archive);
    const auto result = extract_package(context, input, ArchiveFormat::tar_bz2, fd.get(), box.cancelled);
    REQUIRE(result);
    CHECK(result->files == 82);
    CHECK(box.read("d4/e39/f/g1") == "x");
}

TEST_CASE("A process short of descriptors still extracts", "[extract]") {
    Sandbox box;
    TarBuilder tar;
    tar.index();
    for (int i = 0; i < 40; ++i) tar.file("d" + std::to_string(i) + "/e/f/g", "x");
    const auto archive = bzip2_of(tar.build());
    rlimit before{};
    REQUIRE(::getrlimit(RLIMIT_NOFILE, &before) == 0);
    const UniqueFd lowest_free(::open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    const rlimit few{static_cast<rlim_t>(lowest_free.get()) + 8, before.rlim_max};
    REQUIRE(::setrlimit(RLIMIT_NOFILE, &few) == 0);
    const auto result = box.extract(archive, ArchiveFormat::tar_bz2);
    REQUIRE(::setrlimit(RLIMIT_NOFILE, &before) == 0);
    INFO((result ? std::string() : result.error().describe()));
    REQUIRE(result);
    CHECK(box.read("d39/e/f/g") == "x");
}

TEST_CASE("Holes are kept as holes", "[extract]") {
    Sandbox box;
    const std::int64_t hole = std::int64_t{8} << 20;
    REQUIRE(box.extract_tar(TarBuilder().index().sparse("lib/holes", hole, "middle")));
    const auto status = box.status("lib/holes");
    CHECK(status.st_size == 2 * hole + 6);
    CHECK(status.st_blocks * 512 < hole);
    const auto text = box.read("lib/holes");
    CHECK(text.substr(static_cast<std::size_t>(hole), 6) == "middle");
    CHECK(text.find_first_not_of('\0') == static_cast<std::size_t>(hole));
}

TEST_CASE("zstd: frames in a row, skippable frames, large windows", "[extract]") {
    Sandbox box;
    const auto tar = demo_payload().build();
    const std::string_view view = tar;
    const auto info = zstd_of(TarBuilder().index().build());
    const auto archive = [&](const std::string& package) {
        return zip_of({{"metadata.json", R"({"conda_pkg_format_version": 2})"},
                       {"pkg-demo-1.0-0.tar.zst", package},
                       {"info-demo-1.0-0.tar.zst", info}});
    };
    const std::string skippable("\x50\x2a\x4d\x18\x03\x00\x00\x00xyz", 11);
    const auto frames = zstd_of(view.substr(0, 700)) + skippable + zstd_of(view.substr(700));
    REQUIRE(box.extract(archive(frames)));
    check_payload(box);
    REQUIRE(box.extract(archive(zstd_of(tar, 1, 28))));
    check_payload(box);
    check_refused(box.extract(archive(frames + "x")), "zstd");
    check_refused(box.extract(archive(frames + "garbage")), "zstd");
    check_refused(box.extract(archive("")), "zstd");
    REQUIRE(box.extract(archive(zstd_of("")))); // a package without files
    auto damaged = zstd_of(tar);
    damaged[damaged.size() - 2] = static_cast<char>(damaged[damaged.size() - 2] ^ 1); // in the checksum
    check_refused(box.extract(archive(damaged)), "zstd");
}

TEST_CASE("An archive cut anywhere is an error", "[extract]") {
    Sandbox box;
    TarBuilder small;
    small.file("lib/data", noise(20'000)).file("lib/more", "more").directory("d");
    const auto conda = conda_of(small.build(), TarBuilder().index().build());
    const auto bz2 = bzip2_of(small.index().build());
    for (const auto* archive : {&conda, &bz2}) {
        const auto format = archive == &conda ? ArchiveFormat::conda : ArchiveFormat::tar_bz2;
        REQUIRE(box.extract(*archive, format));
        for (std::size_t size = 0; size < archive->size(); size = next_cut(size, archive->size())) {
            INFO(size << " of " << archive->size());
            const auto result = box.extract(std::string_view(*archive).substr(0, size), format);
            REQUIRE_FALSE(result);
            CHECK(result.error().code == ErrorCode::corrupt_package);
        }
    }
    // The same for the stream inside an intact zip.
    const auto frame = zstd_of(small.build());
    for (std::size_t size = 0; size < frame.size(); size = next_cut(size, frame.size())) {
        const auto result = box.extract(zip_of({{"metadata.json", R"({"conda_pkg_format_version": 2})"},
                                                {"pkg-x.tar.zst", frame.substr(0, size)},
                                                {"info-x.tar.zst", zstd_of(TarBuilder().index().build())}}));
        check_refused(result, "pkg-*.tar.zst");
    }
    CHECK(box.outside_is_untouched());
}

TEST_CASE("A tar cut in a member names the member before or in which it happens", "[extract]") {
    Sandbox box;
    const auto tar = TarBuilder().index().file("lib/data", noise(20'000)).build();
    check_refused(box.extract(bzip2_of(std::string_view(tar).substr(0, 9000)), ArchiveFormat::tar_bz2), "lib/data");
    check_refused(box.extract(bzip2_of("not a tar at all, but long enough to be one" + std::string(2000, 'x')),
                              ArchiveFormat::tar_bz2),
                  "tar archive");
}

TEST_CASE("A cancelled extraction stops", "[extract]") {
    Sandbox box;
    box.cancelled = true;
    const auto result = box.extract(conda_of(demo_payload().build(), TarBuilder().index().build()));
    REQUIRE_FALSE(result);
    CHECK(result.error().code == ErrorCode::cancelled);
}

TEST_CASE("A failing disk is not blamed on the package", "[extract]") {
    Sandbox box;
    fs::create_directory(box.tree());
    const UniqueFd read_only_place(::open("/proc/self", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    ExtractContext context;
    const std::string archive = conda_of(demo_payload().build(), TarBuilder().index().build());
    MemoryInput input(archive);
    const auto result = extract_package(context, input, ArchiveFormat::conda, read_only_place.get(), box.cancelled);
    REQUIRE_FALSE(result);
    CHECK(result.error().code != ErrorCode::corrupt_package);
}

TEST_CASE("An archive that still arrives gives the same tree", "[extract]") {
    Sandbox box;
    const auto payload = zstd_of(demo_payload().build());
    const auto info = zstd_of(TarBuilder().index().build());
    const ZipPart metadata{"metadata.json", R"({"conda_pkg_format_version": 2})"};
    const ZipPart package{"pkg-demo.tar.zst", payload};
    const ZipPart texts{"info-demo.tar.zst", info};
    const auto complete = box.extract(zip_of({metadata, package, texts}));
    REQUIRE(complete);
    for (const auto& parts :
         {std::vector{metadata, package, texts}, std::vector{texts, metadata, package}, std::vector{package, texts}}) {
        const auto arriving = box.extract(zip_of(parts), ArchiveFormat::conda, true);
        REQUIRE(arriving);
        CHECK(arriving->files == complete->files);
        CHECK(arriving->bytes == complete->bytes);
        CHECK(arriving->info.index_json == complete->info.index_json);
    }
    // The central directory has the last word: where it names another payload it is no package.
    const auto two = zip_of({metadata, package, texts, package});
    CHECK_FALSE(box.extract(two, ArchiveFormat::conda, true));
}

TEST_CASE("File names tell the format", "[extract]") {
    CHECK(archive_format("a-1-0.conda") == ArchiveFormat::conda);
    CHECK(archive_format("a-1-0.tar.bz2") == ArchiveFormat::tar_bz2);
    CHECK_FALSE(archive_format("a-1-0.tar.gz"));
    CHECK_FALSE(archive_format("a-1-0.CONDA"));
}
