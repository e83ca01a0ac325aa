#include <catch2/catch.hpp>

#include <string>

#include "model/record_json.hpp"

using namespace taipan;

namespace {

// The example of conda-spec 4.2, written by the real conda; paths_data._path is the target, as CEP 32 has it.
const std::string conda_record = R"({
  "name": "foo",
  "version": "1.0",
  "build": "pyhd8ed1ab_0",
  "build_number": 0,
  "channel": "file:///tmp/chan/noarch",
  "subdir": "noarch",
  "fn": "foo-1.0-pyhd8ed1ab_0.conda",
  "md5": "8ecba12c01b8677a87db2eebeaf091d0",
  "url": "file:///tmp/chan/noarch/foo-1.0-pyhd8ed1ab_0.conda",
  "sha256": "d220b490052da322978cf036ac8541fe3e57b5012b747ea3edefb663aeb6388f",
  "depends": [
    "python >=3.8",
    "bar"
  ],
  "constrains": [],
  "noarch": "python",
  "license": "BSD-3-Clause",
  "license_family": "BSD",
  "package_type": "noarch_python",
  "timestamp": 1700000000123,
  "size": 2380,
  "requested_spec": "foo=1.0",
  "package_tarball_full_path": "/tmp/croot/pkgs/foo-1.0-pyhd8ed1ab_0.conda",
  "extracted_package_dir": "/tmp/croot/pkgs/foo-1.0-pyhd8ed1ab_0",
  "files": [
    "lib/python3.11/site-packages/foo/__init__.py",
    "bin/foo-old",
    "lib/python3.11/site-packages/foo/__pycache__/__init__.cpython-311.pyc",
    "bin/foo"
  ],
  "paths_data": {
    "paths_version": 1,
    "paths": [
      {
        "_path": "lib/python3.11/site-packages/foo/__init__.py",
        "path_type": "hardlink",
        "sha256": "98752ee28d5484bdc2814fb70adb6a0b2fb31f6a9b8ee7ae81fd2fc9cf300b3b",
        "size_in_bytes": 4,
        "sha256_in_prefix": "98752ee28d5484bdc2814fb70adb6a0b2fb31f6a9b8ee7ae81fd2fc9cf300b3b"
      },
      {
        "_path": "bin/foo-old",
        "prefix_placeholder": "/opt/placehold_pppp",
        "file_mode": "text",
        "no_link": true,
        "path_type": "hardlink",
        "sha256": "a6a5c8ef",
        "size_in_bytes": 98,
        "sha256_in_prefix": "9c2f83ef"
      },
      {
        "_path": "lib/python3.11/site-packages/foo/__pycache__/__init__.cpython-311.pyc",
        "path_type": "pyc_file",
        "size_in_bytes": 161
      },
      {
        "_path": "bin/foo",
        "path_type": "unix_python_entry_point",
        "size_in_bytes": 226
      }
    ]
  },
  "link": {
    "source": "/tmp/croot/pkgs/foo-1.0-pyhd8ed1ab_0",
    "type": 1
  },
  "requested_specs": [
    "foo=1.0"
  ]
})";

// The example of conda-spec 2.5.
const std::string repodata_record = R"({
  "name": "generic",
  "version": "1",
  "build": "0",
  "build_number": 0,
  "channel": "file:///tmp/chan/noarch",
  "subdir": "noarch",
  "fn": "generic-1-0.conda",
  "md5": "3f1833ab8c712978c70663f31c56113b",
  "legacy_bz2_md5": "f56323ef547052a25a199999e0f97b1e",
  "legacy_bz2_size": 642,
  "url": "file:///tmp/chan/noarch/generic-1-0.conda",
  "sha256": "0aa93b3535f0376c6be00efa2f5ba4032f4cff88a5697565e798ac7689e6124d",
  "depends": [],
  "constrains": [],
  "noarch": "generic",
  "license": "BSD-3-Clause",
  "license_family": "BSD",
  "package_type": "noarch_generic",
  "timestamp": 1700000000123,
  "size": 1217
})";

} // namespace

TEST_CASE("conda's records survive being read and written, byte for byte") {
    const auto record = parse_prefix_record(conda_record);
    REQUIRE(record);
    CHECK(prefix_record_json(*record) == conda_record);
    CHECK(record->package.channel == "file:///tmp/chan");
    CHECK(record->package.channel_name == "file:///tmp/chan");
    CHECK(record->package.dist_string() == "file:///tmp/chan/noarch::foo-1.0-pyhd8ed1ab_0");
    CHECK(record->paths[1].entry.no_link);

    const auto package = parse_package_record(repodata_record);
    REQUIRE(package);
    CHECK(repodata_record_json(*package) == repodata_record);
}

TEST_CASE("rarer fields are written where conda writes them") {
    PackageRecord record = *parse_package_record(repodata_record);
    record.noarch = Noarch::none;
    record.arch = "x86_64";
    record.platform = "linux";
    record.track_features = "a b";
    record.python_site_packages_path = "lib/python3.13t/site-packages";
    record.date = "2020-01-01";
    record.md5.clear();
    const std::string json = repodata_record_json(record);
    CHECK(json.find("\"platform\": \"linux\",\n  \"depends\": []") != std::string::npos);
    CHECK(json.find("\"constrains\": [],\n  \"track_features\": \"a b\",\n  \"python_site_packages_path\"") !=
          std::string::npos);
    CHECK(json.find("\"timestamp\": 1700000000123,\n  \"date\": \"2020-01-01\",\n  \"size\"") != std::string::npos);
    CHECK(json.find("noarch_") == std::string::npos);
    CHECK(json.find("\"md5\"") == std::string::npos);
}

TEST_CASE("without files a record is the same but for them") {
    const auto record = parse_prefix_record(conda_record, {}, RecordDetail::identity);
    REQUIRE(record);
    CHECK(record->files.empty());
    CHECK(record->paths.empty());
    CHECK(record->requested_specs == std::vector<std::string>{"foo=1.0"});
    CHECK(record->extracted_package_dir == "/tmp/croot/pkgs/foo-1.0-pyhd8ed1ab_0");
    CHECK(record->package.size == 2380U);
}

TEST_CASE("mamba's and old conda's forms are understood") {
    const auto mamba = parse_prefix_record(R"({
    "build": "h1", "build_number": 2, "build_string": "h1", "channel": "conda-forge", "constrains": [], "depends": [],
    "files": ["a"], "fn": "foo-1-h1.conda", "link": {"source": "/x", "type": 1}, "name": "Foo", "noarch": null,
    "requested_spec": "", "size": 3, "subdir": "linux-64", "timestamp": 1700000000, "track_features": ["a", "b"],
    "url": "https://conda.anaconda.org/conda-forge/linux-64/foo-1-h1.conda", "version": "1", "new": {"x": [1]}})");
    REQUIRE(mamba);
    CHECK(mamba->package.name == "foo");
    CHECK(mamba->package.channel == "https://conda.anaconda.org/conda-forge");
    CHECK(mamba->package.channel_name == "conda-forge");
    CHECK(mamba->package.timestamp == 1700000000000);
    CHECK(mamba->package.track_features == "a b");
    CHECK(mamba->requested_specs.empty());

    const auto old = parse_prefix_record(R"({"build": "0", "build_number": "x", "channel":
      "https://repo.anaconda.com/pkgs/main/linux-64/", "features": "", "name": "old", "noarch": true,
      "requested_spec": "None", "subdir": "linux-64", "track_features": "", "version": "1", "depends": null,
      "arch": null, "size": null, "files": ["x", 1], "link": null, "paths_data": null})");
    REQUIRE(old);
    CHECK(old->package.channel == "https://repo.anaconda.com/pkgs/main");
    CHECK(old->package.channel_name == "defaults");
    CHECK(old->package.noarch == Noarch::generic);
    CHECK(old->requested_specs.empty());
    CHECK(old->files == std::vector<std::string>{"x"});

    const auto secret = parse_package_record(R"({"name": "a", "version": "1", "build": "0", "subdir": "linux-64",
      "channel": "https://u:p@host.org/t/abc-123/ch/linux-64", "url": "https://u:p@host.org/t/abc-123/ch/linux-64/a-1-0.conda"})");
    REQUIRE(secret);
    const std::string json = repodata_record_json(*secret);
    CHECK(json.find("abc-123") == std::string::npos);
    CHECK(json.find("u:p") == std::string::npos);
}

TEST_CASE("conda's source paths of noarch python become targets") {
    const auto record = parse_prefix_record(R"({"name": "a", "version": "1", "build": "0", "noarch": "python",
      "files": ["lib/python3.11/site-packages/a.py", "bin/a", "etc/x"],
      "paths_data": {"paths_version": 1, "paths": [{"_path": "site-packages/a.py", "path_type": "hardlink"},
        {"_path": "empty", "path_type": "directory"}, {"_path": "python-scripts/a", "path_type": "hardlink"},
        {"_path": "etc/x", "path_type": "softlink"}]}})");
    REQUIRE(record);
    REQUIRE(record->paths.size() == 4);
    CHECK(record->paths[0].entry.path == "lib/python3.11/site-packages/a.py");
    CHECK(record->paths[1].entry.path == "empty");
    CHECK(record->paths[2].entry.path == "bin/a");
    CHECK(record->paths[3].entry.type == PathType::softlink);
}

TEST_CASE("what is no record is an error") {
    for (const char* text : {"", "{", "[]", "{\"name\": \"a\"}", "{\"name\": \"a\", \"version\": \"1\"}", "nonsense",
                             R"({"name": "a", "version": "1", "build": "0", "files": ["x")"}) {
        INFO(text);
        const auto record = parse_prefix_record(text);
        REQUIRE_FALSE(record);
        CHECK(record.error().code == ErrorCode::parse);
    }
}

TEST_CASE("index.json fills only the gaps of a repodata record") {
    PackageRecord base;
    base.license = "MIT";
    PackageRecord index;
    index.license = "GPL";
    index.license_family = "GPL";
    index.noarch = Noarch::python;
    index.depends = {"unpatched"};
    index.timestamp = 5;
    const PackageRecord merged = merge_records(base, index);
    CHECK(merged.license == "MIT");
    CHECK(merged.license_family == "GPL");
    CHECK(merged.noarch == Noarch::python);
    CHECK(merged.timestamp == 5);
    CHECK(merged.depends.empty());
}
