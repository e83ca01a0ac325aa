#include "extract/tree_writers.hpp"

#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

#include <fcntl.h>
#include <unistd.h>

#include <catch2/catch.hpp>

#include "archive_builder.hpp"
#include "base/filesystem.hpp"
#include "extract/extract.hpp"
#include "helper_threads.hpp"

using namespace taipan;
using namespace taipan::test;
namespace fs = std::filesystem;

namespace {

constexpr std::size_t handles = 64;

class Tree {
public:
    Tree() {
        std::string pattern = (fs::temp_directory_path() / "taipan-writers-XXXXXX").string();
        REQUIRE(::mkdtemp(pattern.data()) != nullptr);
        path = pattern;
        fd = UniqueFd(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    }
    Tree(const Tree&) = delete;
    Tree& operator=(const Tree&) = delete;
    ~Tree() {
        std::error_code ignored;
        fs::remove_all(path, ignored);
    }
    [[nodiscard]] std::string read(const std::string& name) const {
        std::ifstream in(path / name, std::ios::binary);
        return {std::istreambuf_iterator<char>(in), {}};
    }

    fs::path path;
    UniqueFd fd;
};

Result<void> put_file(TreeWriters& writers, const std::string& path, std::string_view content) {
    TAIPAN_CHECK(writers.begin_file(path, 0644));
    for (std::size_t at = 0; at < content.size(); at += 100'000) {
        TAIPAN_CHECK(writers.write(content.substr(at, 100'000), at));
    }
    return writers.end_file(content.size(), {1600000000, 0});
}

} // namespace

TEST_CASE("Files of many directories are written by several threads, each whole", "[extract][writers]") {
    Tree tree;
    HelperThreads helpers(3);
    TreeWriters writers(tree.fd.get(), handles, &helpers);
    const auto content = [](int i) {
        return std::string(static_cast<std::size_t>(i * i * 3), static_cast<char>('a' + i % 26));
    };
    for (int i = 0; i < 600; ++i) {
        REQUIRE(put_file(writers, "d" + std::to_string(i % 37) + "/e/f" + std::to_string(i), content(i)));
    }
    REQUIRE(writers.finish());
    for (int i = 0; i < 600; ++i) {
        CHECK((tree.read("d" + std::to_string(i % 37) + "/e/f" + std::to_string(i)) == content(i)));
    }
    CHECK(helpers.started > 0);
}

TEST_CASE("A directory's members are written in their order", "[extract][writers]") {
    Tree tree;
    HelperThreads helpers(3);
    TreeWriters writers(tree.fd.get(), handles, &helpers);
    for (int round = 0; round < 50; ++round) {
        for (int i = 0; i < 20; ++i) {
            const auto path = "d" + std::to_string(i) + "/f";
            REQUIRE((round % 7 == 3 ? writers.create_symlink(path, "elsewhere")
                                    : put_file(writers, path, std::to_string(round))));
        }
    }
    REQUIRE(writers.finish());
    for (int i = 0; i < 20; ++i) CHECK(tree.read("d" + std::to_string(i) + "/f") == "49");
}

TEST_CASE("What depends on other directories sees them as they are at that member", "[extract][writers][attack]") {
    Tree tree;
    HelperThreads helpers(3);
    TreeWriters writers(tree.fd.get(), handles, &helpers);
    const std::string large(300'000, 'x');
    for (int i = 0; i < 30; ++i) {
        const auto n = std::to_string(i);
        REQUIRE(put_file(writers, "a" + n + "/f", large + n));
        REQUIRE(writers.create_hardlink("b" + n + "/g", "a" + n + "/f"));
        REQUIRE(put_file(writers, "a" + n + "/f", "new" + n)); // the link keeps the old content
        REQUIRE(writers.create_symlink("l" + n, "a" + n));
        REQUIRE(put_file(writers, "l" + n + "/through", n));
        REQUIRE(put_file(writers, "c" + n + "/x", n));
        REQUIRE(writers.create_symlink("l" + n, "c" + n)); // the link leads elsewhere from here on
        REQUIRE(put_file(writers, "l" + n + "/through", "c" + n));
        REQUIRE(put_file(writers, "c" + n + "/through", "last" + n));
    }
    REQUIRE(writers.finish());
    CHECK(writers.used_links());
    for (int i = 0; i < 30; ++i) {
        const auto n = std::to_string(i);
        CHECK((tree.read("b" + n + "/g") == large + n));
        CHECK(tree.read("a" + n + "/f") == "new" + n);
        CHECK(tree.read("a" + n + "/through") == n);
        CHECK(tree.read("c" + n + "/through") == "last" + n);
    }
}

TEST_CASE("No symlink is made where a directory is", "[extract][writers][attack]") {
    for (int attempt = 0; attempt < 20; ++attempt) {
        Tree tree;
        HelperThreads helpers(2);
        TreeWriters writers(tree.fd.get(), handles, &helpers);
        REQUIRE(put_file(writers, "a/b/f", "x"));
        auto made = writers.create_symlink("a", "/tmp");
        if (made) made = put_file(writers, "a/b/evil", "x");
        const auto finished = writers.finish();
        REQUIRE_FALSE((static_cast<bool>(made) && static_cast<bool>(finished)));
        CHECK(fs::is_directory(fs::symlink_status(tree.path / "a")));
    }
}

TEST_CASE("The earliest member that cannot be written is the one that is named", "[extract][writers]") {
    for (int attempt = 0; attempt < 10; ++attempt) {
        Tree tree;
        HelperThreads helpers(3);
        TreeWriters writers(tree.fd.get(), handles, &helpers);
        const std::string bad(300, 'n'); // longer than a name may be
        Result<void> put;
        for (int i = 0; i < 200 && put; ++i) put = put_file(writers, "d" + std::to_string(i) + "/f", "x");
        for (int i = 0; i < 5 && put; ++i) put = put_file(writers, "bad" + std::to_string(i) + "/" + bad, "x");
        const auto finished = writers.finish();
        REQUIRE_FALSE(finished);
        CHECK_THAT(finished.error().describe(), Catch::Contains("bad0/nnn") && Catch::Contains("File name too long"));
    }
}

TEST_CASE("An extraction with helpers can be cancelled", "[extract][writers]") {
    Tree tree;
    HelperThreads helpers(2);
    TarBuilder tar;
    tar.index();
    for (int i = 0; i < 500; ++i)
        tar.file("d" + std::to_string(i % 20) + "/f" + std::to_string(i), std::string(20'000, 'x'));
    const auto archive = conda_of(tar.build(), TarBuilder().index().build());
    std::atomic<bool> cancelled{false};
    MemoryInput input(archive);
    ExtractContext context;
    std::thread later([&] { cancelled = true; });
    const auto extracted = extract_package(context, input, ArchiveFormat::conda, tree.fd.get(), cancelled,
                                           {.helpers = &helpers, .share_from = 0});
    later.join();
    if (!extracted) CHECK(extracted.error().code == ErrorCode::cancelled);
    cancelled = true;
    const auto again = extract_package(context, input, ArchiveFormat::conda, tree.fd.get(), cancelled,
                                       {.helpers = &helpers, .share_from = 0});
    REQUIRE_FALSE(again);
    CHECK(again.error().code == ErrorCode::cancelled);
}
