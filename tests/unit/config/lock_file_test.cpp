#include <catch2/catch.hpp>

#include "config/environment_file.hpp"

using namespace taipan;

namespace {

using Strings = std::vector<std::string>;

RequestFileContext wants(std::string subdir, Strings categories = {}, std::string environment = {}) {
    return {{{"TOKEN", "t0k"}}, "/home/u", "/some", std::move(subdir), "/base", std::move(categories), environment};
}

RequestFile read(const std::string& text, const RequestFileContext& context) {
    auto file = parse_request_file(text, "some-file", context);
    INFO((file ? std::string() : file.error().message));
    REQUIRE(file);
    return std::move(*file);
}

std::string refused(const std::string& text, const RequestFileContext& context) {
    const auto file = parse_request_file(text, "some-file", context);
    REQUIRE_FALSE(file);
    CHECK(file.error().code == ErrorCode::parse);
    CHECK(file.error().message.find("some-file") != std::string::npos);
    return file.error().message;
}

bool has(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

const std::string md5(32, 'a'), sha256(64, 'B'), sha256_lower(64, 'b');

std::string conda_entry(const std::string& name, const std::string& more) {
    return "- name: " + name + "\n  version: '1.0'\n  platform: linux-64\n  url: https://h/t/$TOKEN/c/linux-64/" +
           name + "-1.0-0.conda\n" + more;
}

const std::string hashes = "  hash: {md5: " + md5 + ", sha256: " + sha256 + "}\n";

std::string conda_lock(const std::string& entries) {
    return "version: 1\nmetadata:\n  platforms: [linux-64, osx-64]\npackage:\n" + entries;
}

std::string pixi_lock(const std::string& version, const std::string& selectors, const std::string& packages) {
    return "version: " + version + "\nenvironments:\n  default:\n    channels:\n    - url: https://h/c/\n" +
           "    indexes: [https://pypi.org/simple, https://extra.org/simple]\n    packages:\n      linux-64:\n" +
           selectors + "packages:\n" + packages;
}

} // namespace

TEST_CASE("a conda-lock file gives the packages of a platform", "[lock_file]") {
    const auto text = conda_lock(
        conda_entry("aa",
                    "  manager: conda\n  dependencies: {bb: '>=1', __glibc: '*', cc: ''}\n" + hashes + "  size: 12\n") +
        conda_entry("__unix", "  manager: conda\n" + hashes) + "- {name: aa, platform: osx-64, manager: conda}\n");
    const auto file = read(text, wants("linux-64"));
    CHECK(file.kind == RequestFile::Kind::lock);
    REQUIRE(file.locked.size() == 1);
    const auto& package = file.locked.front();
    CHECK(package.url == "https://h/t/t0k/c/linux-64/aa-1.0-0.conda");
    CHECK(package.complete);
    CHECK(package.record.name == "aa");
    CHECK(package.record.depends == Strings{"bb >=1", "__glibc", "cc"});
    CHECK(package.record.md5 == md5);
    CHECK(package.record.sha256 == sha256_lower);
    CHECK(package.record.size == 12U);
}

TEST_CASE("without a sha256 the dependencies of a lock file are not trusted", "[lock_file]") {
    const auto file = read(
        conda_lock(conda_entry("aa", "  manager: conda\n  dependencies: {bb: '>=1'}\n  hash: {md5: " + md5 + "}\n")),
        wants("linux-64"));
    CHECK_FALSE(file.locked.front().complete);
}

TEST_CASE("categories choose among packages, and pip's go to pip", "[lock_file]") {
    const auto text = conda_lock(
        conda_entry("aa", "  manager: conda\n  category: main\n" + hashes) +
        conda_entry("dd", "  manager: conda\n  category: dev\n" + hashes) +
        conda_entry("aa", "  manager: conda\n  category: dev\n" + hashes) +
        "- {name: six, version: '1', platform: linux-64, manager: pip, url: 'https://p/six.whl', hash: {sha256: " +
        sha256 + "}}\n" +
        "- {name: git, version: '1', platform: linux-64, manager: pip, url: 'git+https://p/g@1', hash: {sha256: "
        "abc}}\n");
    auto file = read(text, wants("linux-64"));
    CHECK(file.locked.size() == 1);
    CHECK(file.pip == Strings{"six @ https://p/six.whl#sha256=" + sha256_lower, "git @ git+https://p/g@1"});
    CHECK(file.pip_no_deps);
    CHECK(read(text, wants("linux-64", {"main", "dev"})).locked.size() == 2);
    CHECK(has(refused(text, wants("linux-64", {"docs"})), "dev and main"));
    CHECK(has(refused(text, wants("win-64")), "linux-64 and osx-64"));
}

TEST_CASE("conda-lock files that cannot be meant are refused", "[lock_file]") {
    const auto context = wants("linux-64");
    CHECK(has(refused(conda_lock(conda_entry("aa", "  manager: conda\n")), context), "no hash"));
    CHECK(has(refused(conda_lock(conda_entry("aa", "  manager: npm\n" + hashes)), context), "npm"));
    CHECK(has(refused(conda_lock(conda_entry("aa", "  manager: conda\n  hash: {md5: xyz}\n")), context), "xyz"));
    CHECK(has(refused(conda_lock("- {name: aa, platform: linux-64, manager: conda}\n"), context), "url"));
    CHECK(has(refused(conda_lock("- text\n"), context), "no map"));
    const auto twice =
        conda_entry("aa", "  manager: conda\n" + hashes) +
        "- {name: aa, platform: linux-64, manager: conda, url: 'https://h/c/linux-64/aa-2-0.conda', hash: "
        "{md5: " +
        md5 + "}}\n";
    const auto message = refused(conda_lock(twice), context);
    CHECK(has(message, "twice"));
    CHECK_FALSE(has(message, "t0k"));
    CHECK(has(refused("version: 9\npackage: []\n", context), "version 9"));
}

TEST_CASE("a pixi.lock gives one environment for a platform", "[lock_file]") {
    const auto text =
        pixi_lock("6",
                  "      - conda: https://h/c/linux-64/aa-1.0-h1_2.conda\n      - pypi: https://p/six.whl\n"
                  "      - pypi: ./mine\n",
                  "- conda: https://h/c/linux-64/aa-1.0-h1_2.conda\n  sha256: " + sha256 +
                      "\n  depends: [bb >=1]\n  license: MIT\n  size: 5\n  timestamp: 1700000000000\n"
                      "  python_site_packages_path: lib/p\n  noarch: python\n"
                      "- pypi: https://p/six.whl\n  name: six\n  sha256: " +
                      sha256 + "\n- pypi: ./mine\n  name: mine\n  editable: true\n");
    const auto file = read(text, wants("linux-64"));
    CHECK(file.channels == Strings{"https://h/c/"});
    REQUIRE(file.locked.size() == 1);
    const auto& record = file.locked.front().record;
    CHECK(file.locked.front().complete);
    CHECK(record.dist_name() == "aa-1.0-h1_2");
    CHECK(record.depends == Strings{"bb >=1"});
    CHECK(record.license == "MIT");
    CHECK(record.noarch == Noarch::python);
    CHECK(record.timestamp == 1700000000000);
    CHECK(record.python_site_packages_path == "lib/p");
    CHECK(file.pip == Strings{"--index-url https://pypi.org/simple", "--extra-index-url https://extra.org/simple",
                              "six @ https://p/six.whl#sha256=" + sha256_lower, "-e ./mine"});
    CHECK(has(refused(text, wants("osx-64")), "linux-64"));
    CHECK(has(refused(text, wants("linux-64", {}, "test")), "default"));
}

TEST_CASE("older and newer pixi.lock files are read", "[lock_file]") {
    const auto old = pixi_lock("5", "      - conda: https://h/c/noarch/aa-1.0-0.conda\n",
                               "- kind: conda\n  name: aa\n  version: '1.0'\n  build: '0'\n  subdir: noarch\n"
                               "  url: https://h/c/noarch/aa-1.0-0.conda\n  md5: " +
                                   md5 + "\n");
    CHECK(read(old, wants("linux-64")).locked.front().record.subdir == "noarch");
    const auto named =
        "version: 7\nplatforms:\n- {name: mine, subdir: linux-64}\nenvironments:\n  only:\n    packages:\n"
        "      mine:\n      - conda: ./pkgs/aa-1.0-0.conda\npackages:\n- conda: ./pkgs/aa-1.0-0.conda\n";
    CHECK(read(named, wants("linux-64")).locked.front().url == "file:///base/pkgs/aa-1.0-0.conda");
    auto without_directory = wants("linux-64");
    without_directory.base_directory.clear();
    CHECK(has(refused(named, without_directory), "relative"));
    CHECK(has(refused(pixi_lock("8", "", ""), wants("linux-64")), "version 8"));
}

TEST_CASE("packages that pixi would build are refused", "[lock_file]") {
    const auto context = wants("linux-64");
    CHECK(has(
        refused(pixi_lock("7", "      - conda_source: aa[1] @ ../aa\n", "- conda_source: aa[1] @ ../aa\n"), context),
        "source"));
    CHECK(has(refused(pixi_lock("6", "      - conda: ../aa\n", "- conda: ../aa\n  name: aa\n"), context), "source"));
    CHECK(has(refused(pixi_lock("6", "      - conda: https://h/c/noarch/aa-1-0.conda\n", ""), context), "not among"));
}

TEST_CASE("the content tells what a file is", "[lock_file]") {
    const auto context = wants("linux-64");
    CHECK(read("name: x\ndependencies: [a]\n", context).kind == RequestFile::Kind::environment);
    CHECK(read("numpy\nname=1\n", context).kind == RequestFile::Kind::specs);
    const auto list = read("@EXPLICIT\nhttps://h/c/noarch/a-1-0.conda\n# pip six @ https://p/six.whl\n", context);
    CHECK(list.kind == RequestFile::Kind::explicit_urls);
    CHECK(list.pip == Strings{"six @ https://p/six.whl"});
    CHECK(list.pip_no_deps);
}
