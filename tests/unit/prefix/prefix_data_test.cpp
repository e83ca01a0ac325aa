#include <catch2/catch.hpp>

#include <string>

#include "prefix/prefix_data.hpp"
#include "scratch.hpp"

using namespace taipan;

namespace {

PrefixRecord record(const std::string& name, std::size_t files = 1) {
    PrefixRecord result;
    result.package.name = name;
    result.package.version = "1.0";
    result.package.build = "h_0";
    result.package.channel = "https://conda.anaconda.org/conda-forge";
    result.package.subdir = "linux-64";
    result.package.fn = name + "-1.0-h_0.conda";
    result.package.url = result.package.channel + "/linux-64/" + result.package.fn;
    result.package.depends = {"x >=1"};
    result.package.size = 7;
    result.extracted_package_dir = result.link_source = "/cache/" + name;
    for (std::size_t i = 0; i < files; ++i) {
        result.files.push_back("share/" + name + "/file-" + std::to_string(i));
        InstalledPath path;
        path.entry.path = result.files.back();
        result.paths.push_back(path);
    }
    return result;
}

} // namespace

TEST_CASE("an environment is what has a history") {
    Scratch scratch;
    const std::string prefix = scratch.at("e");
    CHECK(require_environment(prefix).error().code == ErrorCode::environment_not_found);
    scratch.directory("e");
    CHECK(require_environment(prefix).error().code == ErrorCode::not_an_environment);
    REQUIRE(create_environment(prefix, 1795377455.966591));
    CHECK(is_environment(prefix));
    CHECK(require_environment(prefix));
    CHECK(scratch.read("e/conda-meta/history").empty());
    CHECK(scratch.read("e/conda-meta/created_at") == "1795377455.966591");
    scratch.write("e/conda-meta/history", "kept");
    REQUIRE(create_environment(prefix, 1));
    CHECK(scratch.read("e/conda-meta/history") == "kept");
    CHECK(scratch.read("e/conda-meta/created_at") == "1795377455.966591");
}

TEST_CASE("records are written and found again, with and without their files") {
    Scratch scratch;
    const std::string prefix = scratch.at("e");
    REQUIRE(create_environment(prefix, 1));
    PrefixRecord large = record("large", 2000);
    large.requested_specs = {"large"};
    REQUIRE(write_prefix_record(prefix, large));
    REQUIRE(write_prefix_record(prefix, record("a-b")));
    REQUIRE(write_prefix_record(prefix, record("small")));
    REQUIRE(scratch.status("e/conda-meta/large-1.0-h_0.json").st_size > 30000);

    const auto full = load_prefix(prefix, RecordDetail::full);
    REQUIRE(full);
    CHECK(full->warnings.empty());
    REQUIRE(full->records.size() == 3);
    CHECK(full->records[0].package.name == "a-b");
    CHECK(full->find("large")->files.size() == 2000);
    CHECK(full->find("lar") == nullptr);

    const auto identity = load_prefix(prefix, RecordDetail::identity);
    REQUIRE(identity);
    REQUIRE(identity->records.size() == 3);
    for (std::size_t i = 0; i < 3; ++i) {
        PrefixRecord expected = full->records[i];
        expected.files.clear();
        expected.paths.clear();
        CHECK(prefix_record_json(identity->records[i]) == prefix_record_json(expected));
    }
    CHECK(identity->packages().size() == 3);
    CHECK(load_prefix_record(prefix, "large-1.0-h_0")->files.size() == 2000);
    CHECK(prefix_record_json(*load_prefix_record(prefix, "large-1.0-h_0")) == prefix_record_json(large));
}

TEST_CASE("large records of other tools are read as a whole") {
    Scratch scratch;
    std::string files;
    for (int i = 0; i < 3000; ++i) files += "        \"file-" + std::to_string(i) + "\",\n";
    // mamba: indent 4, sorted keys, so that most of the identity stands behind the files.
    scratch.write("e/conda-meta/m-1-0.json",
                  "{\n    \"build\": \"0\",\n    \"files\": [\n" + files +
                      "        \"last\"\n    ],\n    \"link\": {\n        \"type\": 1\n    },\n"
                      "    \"name\": \"m\",\n    \"version\": \"1\"\n}");
    const auto data = load_prefix(scratch.at("e"), RecordDetail::identity);
    REQUIRE(data);
    REQUIRE(data->records.size() == 1);
    CHECK(data->records[0].package.name == "m");
    CHECK(load_prefix(scratch.at("e"), RecordDetail::full)->records[0].files.size() == 3001);
}

TEST_CASE("foreign files in conda-meta are passed over, broken records are not") {
    Scratch scratch;
    const std::string prefix = scratch.at("e");
    REQUIRE(create_environment(prefix, 1));
    REQUIRE(write_prefix_record(prefix, record("good")));
    scratch.write("e/conda-meta/._good-1.0-h_0.json", "\x05\x16 not json");
    scratch.write("e/conda-meta/good-1.0-h_0.json.taipan-1-2", "half");
    scratch.write("e/conda-meta/state", "{}");
    scratch.write("e/conda-meta/other-2.0-0.json", prefix_record_json(record("good")));
    const auto data = load_prefix(prefix, RecordDetail::full);
    REQUIRE(data);
    CHECK(data->records.size() == 1);
    REQUIRE(data->warnings.size() == 1);
    CHECK(data->warnings[0].find("other-2.0-0.json") != std::string::npos);

    scratch.write("e/conda-meta/bad-1-0.json", "{\"name\":");
    for (const RecordDetail detail : {RecordDetail::full, RecordDetail::identity}) {
        const auto broken = load_prefix(prefix, detail);
        REQUIRE_FALSE(broken);
        CHECK(broken.error().code == ErrorCode::corrupt_environment);
        CHECK(broken.error().message.find("bad-1-0.json") != std::string::npos);
    }
    CHECK(load_prefix(scratch.at("none"), RecordDetail::full)->records.empty());
}
