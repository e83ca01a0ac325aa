#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <catch2/catch.hpp>

#include "base/filesystem.hpp"

/// A directory that is gone after the test, and short words for what tests do in it. Paths are relative to it.
struct Scratch {
    Scratch() {
        char name[] = "/tmp/taipan-scratch-XXXXXX";
        path = ::mkdtemp(name);
    }
    Scratch(const Scratch&) = delete;
    Scratch& operator=(const Scratch&) = delete;
    ~Scratch() { CHECK(taipan::remove_tree(path)); }

    [[nodiscard]] std::string at(std::string_view name) const { return path + '/' + std::string(name); }
    std::string directory(std::string_view name) const {
        REQUIRE(taipan::make_directories(at(name)));
        return at(name);
    }
    void write(std::string_view name, std::string_view content, mode_t mode = 0644) const {
        REQUIRE(taipan::make_directories(std::string(taipan::parent_path(at(name)))));
        REQUIRE(taipan::write_file_atomic(at(name), content));
        REQUIRE(::chmod(at(name).c_str(), mode) == 0);
    }
    void symlink(std::string_view name, const std::string& text) const {
        REQUIRE(taipan::make_directories(std::string(taipan::parent_path(at(name)))));
        REQUIRE(::symlink(text.c_str(), at(name).c_str()) == 0);
    }
    /// Content, or "(missing)".
    [[nodiscard]] std::string read(std::string_view name) const {
        auto content = taipan::read_file(at(name));
        return content ? *content : "(missing)";
    }
    [[nodiscard]] std::string link_text(std::string_view name) const {
        std::string text(4096, '\0');
        const ssize_t length = ::readlink(at(name).c_str(), text.data(), text.size());
        return length < 0 ? "(no link)" : text.substr(0, static_cast<std::size_t>(length));
    }
    [[nodiscard]] struct stat status(std::string_view name) const {
        struct stat result {};
        REQUIRE(::lstat(at(name).c_str(), &result) == 0);
        return result;
    }
    [[nodiscard]] bool has(std::string_view name) const {
        struct stat result {};
        return ::lstat(at(name).c_str(), &result) == 0;
    }
    void set_mtime(std::string_view name, time_t seconds) const {
        const timespec times[2] = {{seconds, 0}, {seconds, 0}};
        REQUIRE(::utimensat(AT_FDCWD, at(name).c_str(), times, AT_SYMLINK_NOFOLLOW) == 0);
    }
    [[nodiscard]] taipan::UniqueFd open(std::string_view name) const {
        auto fd = taipan::open_directory(at(name));
        REQUIRE(fd);
        return *std::move(fd);
    }

    /// How many files and directories lie in it.
    [[nodiscard]] int entries() const {
        int count = -2; // "." and ".."
        DIR* listing = ::opendir(path.c_str());
        REQUIRE(listing != nullptr);
        while (::readdir(listing) != nullptr) ++count;
        ::closedir(listing);
        return count;
    }

    std::string path;
};
