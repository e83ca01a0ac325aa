#pragma once

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <catch2/catch.hpp>

#include "archive_builder.hpp"
#include "base/filesystem.hpp"
#include "extract/extract.hpp"
#include "helper_threads.hpp"

namespace taipan::test {

namespace fs = std::filesystem;

/// All of a tree, a line for each path: type and mode, links, time, size, and content or target.
inline std::vector<std::string> tree_listing(const fs::path& tree) {
    std::vector<std::string> lines;
    for (const auto& entry : fs::recursive_directory_iterator(tree)) {
        struct stat status {};
        REQUIRE(::lstat(entry.path().c_str(), &status) == 0);
        std::ostringstream line;
        line << entry.path().lexically_relative(tree).string() << ' ' << std::oct << status.st_mode << std::dec;
        if (!S_ISDIR(status.st_mode)) line << ' ' << status.st_nlink;
        if (S_ISREG(status.st_mode)) {
            line << ' ' << status.st_size << ' ' << status.st_mtim.tv_sec << '.' << status.st_mtim.tv_nsec << ' ';
            if (status.st_size < 100'000) line << std::ifstream(entry.path(), std::ios::binary).rdbuf();
        }
        if (S_ISLNK(status.st_mode)) line << ' ' << fs::read_symlink(entry.path()).string();
        lines.push_back(line.str());
    }
    std::sort(lines.begin(), lines.end());
    return lines;
}

/// A directory that holds the destination `tree` and, beside it, what must stay untouched.
class Sandbox {
public:
    Sandbox() {
        std::string pattern = (fs::temp_directory_path() / "taipan-extract-XXXXXX").string();
        REQUIRE(::mkdtemp(pattern.data()) != nullptr);
        root_ = pattern;
        fs::create_directory(root_ / "outside");
    }
    Sandbox(const Sandbox&) = delete;
    Sandbox& operator=(const Sandbox&) = delete;
    ~Sandbox() {
        std::error_code ignored;
        fs::remove_all(root_, ignored);
    }

    /// Extracts into a new, empty tree; before that, with helpers, into another one, which must be the same.
    Result<ExtractedPackage> extract(std::string_view archive, ArchiveFormat format = ArchiveFormat::conda,
                                     bool still_arriving = false) {
        HelperThreads helpers(2);
        const auto shared = extract_into_tree(archive, format, {still_arriving, &helpers, 0});
        const auto shared_tree = listing();
        auto extracted = extract_into_tree(archive, format, {still_arriving});
        CHECK(static_cast<bool>(shared) == static_cast<bool>(extracted));
        if (shared && extracted) {
            CHECK(shared_tree == listing());
            CHECK(shared->info.files == extracted->info.files);
            CHECK(shared->files == extracted->files);
            CHECK(shared->contained == extracted->contained);
        } else if (!shared && !extracted) {
            CHECK(shared.error().code == extracted.error().code);
        }
        return extracted;
    }
    Result<ExtractedPackage> extract_tar(const TarBuilder& tar) {
        return extract(bzip2_of(tar.build()), ArchiveFormat::tar_bz2);
    }
    [[nodiscard]] fs::path tree() const { return root_ / "tree"; }
    [[nodiscard]] fs::path outside() const { return root_ / "outside"; }
    [[nodiscard]] std::string read(const std::string& path) const {
        std::ifstream in(tree() / path, std::ios::binary);
        std::stringstream text;
        text << in.rdbuf();
        return in ? text.str() : "(cannot read " + path + ")";
    }
    [[nodiscard]] struct stat status(const std::string& path) const {
        struct stat result {};
        REQUIRE(::lstat((tree() / path).c_str(), &result) == 0);
        return result;
    }
    [[nodiscard]] bool outside_is_untouched() const {
        std::size_t names = 0;
        for ([[maybe_unused]] const auto& entry : fs::directory_iterator(root_)) ++names;
        return fs::is_empty(outside()) && names == 2;
    }

    std::atomic<bool> cancelled{false};

private:
    Result<ExtractedPackage> extract_into_tree(std::string_view archive, ArchiveFormat format, ExtractOptions options) {
        fs::remove_all(tree());
        fs::create_directory(tree());
        const UniqueFd fd(::open(tree().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
        MemoryInput input(archive);
        return extract_package(context_, input, format, fd.get(), cancelled, options);
    }
    /// All of the tree: paths, types, modes, times, contents and targets.
    [[nodiscard]] std::vector<std::string> listing() const { return tree_listing(tree()); }

    fs::path root_;
    ExtractContext context_;
};

inline std::string noise(std::size_t size) {
    std::string text(size, '\0');
    std::uint32_t state = 1;
    for (auto& c : text) {
        state = state * 1664525U + 1013904223U;
        c = static_cast<char>(state >> 24);
    }
    return text;
}

inline TarBuilder demo_payload() {
    TarBuilder tar;
    tar.directory("lib/empty").file("bin/tool", "#!/bin/sh\n", 0755).file("lib/a/b/data.txt", "some data");
    tar.file("lib/big.bin", noise(300'000)).symlink("lib/link.txt", "a/b/data.txt").file("lib/zero", "");
    return tar;
}

inline void check_payload(const Sandbox& box) {
    CHECK(box.read("bin/tool") == "#!/bin/sh\n");
    CHECK(box.read("lib/a/b/data.txt") == "some data");
    CHECK(box.read("lib/big.bin") == noise(300'000));
    CHECK(box.read("lib/link.txt") == "some data");
    CHECK(box.read("lib/zero").empty());
    CHECK(fs::is_directory(box.tree() / "lib/empty"));
    CHECK(fs::read_symlink(box.tree() / "lib/link.txt") == "a/b/data.txt");
}

inline void check_refused(const Result<ExtractedPackage>& result, std::string_view word) {
    REQUIRE_FALSE(result);
    INFO(result.error().describe());
    CHECK(result.error().code == ErrorCode::corrupt_package);
    CHECK(result.error().describe().find(word) != std::string::npos);
}

} // namespace taipan::test
