#include "cache/pyc_cache.hpp"

#include <filesystem>

#include <fcntl.h>
#include <sys/stat.h>

#include <catch2/catch.hpp>

#include "base/filesystem.hpp"
#include "scratch.hpp"

namespace taipan {
namespace {

namespace fs = std::filesystem;

std::string read(const std::string& path) {
    auto content = read_file(path);
    return content ? *content : "(missing)";
}

void write(const std::string& path, const std::string& text) {
    REQUIRE(make_directories(std::string(parent_path(path))));
    REQUIRE(write_file_atomic(path, text));
}

const PycCache::Key key{"python-3.11.2-h0_0_cpython", "demo-1.0-py_0", "0123456789abcdef0123"};
const std::vector<CompiledModule> modules{{"lib/demo/a.py", "lib/demo/__pycache__/a.cpython-311.pyc"},
                                          {"lib/demo/b.py", "lib/demo/__pycache__/b.cpython-311.pyc"},
                                          {"lib/other/c.py", "lib/other/__pycache__/c.cpython-311.pyc"}};

/// A prefix with the sources of `modules`, all of one time.
struct Prefix {
    explicit Prefix(const std::string& where) : path(where) {
        for (const auto& module : modules) {
            fs::create_directories(fs::path(path) / fs::path(module.pyc).parent_path());
            write(path + '/' + module.source, "source");
            set_time(module.source, 1'600'000'000);
        }
        fd = std::move(*open_directory(path));
    }
    void set_time(const std::string& name, time_t seconds) const {
        const timespec times[2]{{seconds, 0}, {seconds, 0}};
        REQUIRE(::utimensat(AT_FDCWD, (path + '/' + name).c_str(), times, 0) == 0);
    }
    void compile(std::size_t module) const { write(path + '/' + modules[module].pyc, std::to_string(module)); }
    [[nodiscard]] bool has(std::size_t module) const { return fs::exists(path + '/' + modules[module].pyc); }

    std::string path;
    UniqueFd fd;
};

std::vector<std::size_t> place(const PycCache& cache, const Prefix& prefix, bool copy = false,
                               const PycCache::Key& wanted = key) {
    auto missing = cache.place(wanted, modules, prefix.fd.get(), copy);
    REQUIRE(missing);
    return *missing;
}

using Missing = std::vector<std::size_t>;

} // namespace

TEST_CASE("bytecode made once is linked into the next prefix") {
    const Scratch scratch;
    const PycCache cache(scratch.at("pkgs"));
    const Prefix first(scratch.at("first"));
    const Prefix second(scratch.at("second"));
    CHECK(place(cache, first) == Missing{0, 1, 2});
    first.compile(0);
    first.compile(2); // the second one does not compile
    const bool copy = GENERATE(false, true);
    REQUIRE(cache.store(key, modules, first.fd.get(), copy));

    CHECK(place(cache, second, copy).empty());
    CHECK(read(second.path + '/' + modules[0].pyc) == "0");
    CHECK_FALSE(second.has(1));
    CHECK(read(second.path + '/' + modules[2].pyc) == "2");
    CHECK(fs::hard_link_count(second.path + '/' + modules[0].pyc) == (copy ? 1U : 3U));
}

TEST_CASE("bytecode of another source, interpreter or package is not used") {
    const Scratch scratch;
    const PycCache cache(scratch.at("pkgs"));
    const Prefix first(scratch.at("first"));
    for (const std::size_t i : {0U, 1U, 2U}) first.compile(i);
    REQUIRE(cache.store(key, modules, first.fd.get(), false));

    const Prefix second(scratch.at("second"));
    second.set_time(modules[0].source, 1'600'000'001);
    write(second.path + '/' + modules[1].source, "longer source");
    second.set_time(modules[1].source, 1'600'000'000);
    CHECK(place(cache, second) == Missing{0, 1});
    auto other = key;
    other.interpreter = "python-3.11.3-h0_0_cpython";
    CHECK(place(cache, Prefix(scratch.at("third")), false, other) == Missing{0, 1, 2});
    other = key;
    other.hash = "f123456789abcdef0123";
    CHECK(place(cache, Prefix(scratch.at("fourth")), false, other) == Missing{0, 1, 2});
}

TEST_CASE("a damaged entry is none, and is replaced") {
    const Scratch scratch;
    const PycCache cache(scratch.at("pkgs"));
    const Prefix first(scratch.at("first"));
    for (const std::size_t i : {0U, 1U, 2U}) first.compile(i);
    REQUIRE(cache.store(key, modules, first.fd.get(), false));
    const std::string entry = scratch.at("pkgs/.taipan-pyc/python-3.11.2-h0_0_cpython/demo-1.0-py_0-0123456789abcdef");
    const std::string manifest = read(entry + "/manifest");

    for (const auto& text :
         {std::string(), manifest.substr(0, manifest.size() / 2), manifest + "more", std::string("x")}) {
        write(entry + "/manifest", text);
        const Prefix second(scratch.at("second"));
        CHECK(place(cache, second) == Missing{0, 1, 2});
        fs::remove_all(second.path);
    }
    write(entry + "/manifest", manifest);
    fs::remove(entry + "/1");
    const Prefix third(scratch.at("third"));
    CHECK(place(cache, third) == Missing{1});
    third.compile(1);
    REQUIRE(cache.store(key, modules, third.fd.get(), false));
    CHECK(place(cache, Prefix(scratch.at("fourth"))).empty());
}

TEST_CASE("bytecode is not linked out of the prefix, and what is there stays") {
    const Scratch scratch;
    const PycCache cache(scratch.at("pkgs"));
    const Prefix first(scratch.at("first"));
    for (const std::size_t i : {0U, 1U, 2U}) first.compile(i);
    REQUIRE(cache.store(key, modules, first.fd.get(), false));

    const Prefix second(scratch.at("second"));
    fs::create_directory(scratch.at("outside"));
    fs::remove(fs::path(second.path) / "lib/demo/__pycache__");
    fs::create_directory_symlink(scratch.at("outside"), fs::path(second.path) / "lib/demo/__pycache__");
    write(second.path + '/' + modules[2].pyc, "mine");
    CHECK(place(cache, second) == Missing{0, 1, 2});
    CHECK(fs::is_empty(scratch.at("outside")));
    CHECK(read(second.path + '/' + modules[2].pyc) == "mine");
}

} // namespace taipan
