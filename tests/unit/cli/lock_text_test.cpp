#include <catch2/catch.hpp>

#include "screen/export_formats.hpp"
#include "screen/lock_text.hpp"

using namespace taipan;
using namespace taipan::cli;

namespace {

PackageRecord package(std::string name, std::vector<std::string> depends = {}) {
    PackageRecord record;
    record.name = std::move(name);
    record.version = "1";
    record.build = "0";
    record.url = "https://h/c/noarch/" + record.name + "-1-0.conda";
    record.md5 = std::string(32, 'a');
    record.depends = std::move(depends);
    return record;
}

bool has(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

} // namespace

TEST_CASE("a package belongs to the categories of those that need it", "[lock_text]") {
    const std::vector<PackageRecord> packages = {package("base"),           package("app", {"base >=1", "__unix"}),
                                                 package("docs", {"tool"}), package("tool", {"base"}),
                                                 package("test", {"tool"}), package("alone")};
    const auto categories = categories_of(packages, {{"app", {"main"}}, {"docs", {"docs"}}, {"test", {"dev"}}});
    using Names = std::set<std::string>;
    CHECK(categories.at("base") == Names{"main"});
    CHECK(categories.at("app") == Names{"main"});
    CHECK(categories.at("tool") == Names{"dev", "docs"});
    CHECK(categories.at("docs") == Names{"docs"});
    CHECK(categories.at("alone") == Names{"main"});
}

TEST_CASE("a lock file says each package once for each platform and category", "[lock_text]") {
    LockDocument document;
    document.channels = {"conda-forge"};
    document.sources = {"environment.yml"};
    const std::vector<PackageRecord> packages = {package("b", {"a >=1", "a <2", "c", "__unix"}), package("a")};
    document.platforms = {{"linux-64", "hash1", packages, {{"a", {"main"}}, {"b", {"dev", "docs"}}}},
                          {"osx-64", "hash2", packages, {{"a", {"main"}}, {"b", {"dev"}}}}};
    const auto text = conda_lock_text(document);
    CHECK(text.find("- name: a\n") < text.find("- name: b\n"));
    CHECK(has(text, "    a: '>=1,<2'\n"));
    CHECK(has(text, "    c: ''\n"));
    CHECK(has(text, "  category: docs\n  optional: true\n"));
    CHECK(has(text, "  category: main\n  optional: false\n"));
    CHECK(has(text, "    linux-64: hash1\n    osx-64: hash2\n"));
    const auto list = explicit_lock_text(document.platforms.front(), {"main"});
    CHECK(has(list, "@EXPLICIT\nhttps://h/c/noarch/a-1-0.conda#" + std::string(32, 'a') + "\n"));
    CHECK_FALSE(has(list, "/b-1"));
}

TEST_CASE("exports have conda's formats and names", "[export_formats]") {
    CHECK(export_format_named("yml") == ExportFormat::yaml);
    CHECK(export_format_named("reqs") == ExportFormat::requirements);
    CHECK_FALSE(export_format_named("toml"));
    CHECK(export_format_of_file("some/explicit.txt") == ExportFormat::explicit_urls);
    CHECK(export_format_of_file("x.json") == ExportFormat::json);
    CHECK_FALSE(export_format_of_file("x.txt"));
    ExportedEnvironment environment;
    environment.platform = "linux-64";
    environment.requests = {"conda-forge::a==1=0", "b[version='>=1,<2']"};
    environment.packages = {package("a")};
    CHECK(has(*export_text(environment, ExportFormat::yaml), "  - a=1=0\n  - b[version='>=1,<2']\n"));
    CHECK(has(*export_text(environment, ExportFormat::requirements), "\n\nconda-forge::a==1=0\n"));
    CHECK(has(*export_text(environment, ExportFormat::explicit_urls), "@EXPLICIT\nhttps://h/c/noarch/a-1-0.conda\n"));
    environment.pip = {"six==1"};
    CHECK_FALSE(export_text(environment, ExportFormat::explicit_urls));
    environment.requests.clear();
    CHECK_FALSE(export_text(environment, ExportFormat::requirements));
}
