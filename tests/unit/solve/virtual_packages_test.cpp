#include <catch2/catch.hpp>

#include <algorithm>

#include "solve/virtual_packages.hpp"

using namespace taipan;
using Environment = std::map<std::string, std::string>;
using Names = std::vector<std::string>;

namespace {

const HostFacts linux_host = {.subdir = "linux-64",
                              .kernel_release = "6.1.0-18-amd64",
                              .glibc_version = "2.36",
                              .archspec = "x86_64_v3",
                              .cuda_version = "12.4",
                              .cuda_arch = "8.6",
                              .macos_version = ""};

Names list(std::string_view target, const Environment& environment = {}, HostFacts host = linux_host) {
    Names names;
    for (const auto& record : virtual_packages_for(target, host, environment)) {
        CHECK(record.channel_name == "@");
        CHECK(record.build_number == 0);
        names.push_back(record.name + '=' + record.version + '=' + record.build);
    }
    std::sort(names.begin(), names.end());
    return names;
}

} // namespace

TEST_CASE("virtual packages of the host's own platform", "[virtual]") {
    CHECK(list("linux-64") == Names{"__archspec=1=x86_64_v3", "__cuda=12.4=0", "__cuda_arch=8.6=0", "__glibc=2.36=0",
                                    "__linux=6.1.0=0", "__unix=0=0"});
    auto plain = linux_host;
    plain.cuda_version.clear();
    plain.glibc_version.clear(); // musl
    CHECK(list("linux-64", {}, plain) == Names{"__archspec=1=x86_64_v3", "__linux=6.1.0=0", "__unix=0=0"});
}

TEST_CASE("virtual packages follow the target, not the host", "[virtual]") {
    CHECK(list("osx-arm64") == Names{"__archspec=1=arm64", "__osx=0=0", "__unix=0=0"});
    CHECK(list("win-64") == Names{"__archspec=1=x86_64", "__win=0=0"});
    CHECK(list("linux-aarch64") == Names{"__archspec=1=aarch64", "__cuda=12.4=0", "__cuda_arch=8.6=0", "__glibc=2.36=0",
                                         "__linux=6.1.0=0", "__unix=0=0"});
    auto mac = HostFacts{.subdir = "osx-arm64",
                         .kernel_release = "23.1.0",
                         .glibc_version = "",
                         .archspec = "m1",
                         .cuda_version = "",
                         .cuda_arch = "",
                         .macos_version = "14.1"};
    CHECK(list("osx-arm64", {}, mac) == Names{"__archspec=1=m1", "__osx=14.1=0", "__unix=0=0"});
    CHECK(list("linux-64", {}, mac) == Names{"__archspec=1=x86_64", "__glibc=2.17=0", "__linux=0=0", "__unix=0=0"});
}

TEST_CASE("override variables", "[virtual]") {
    CHECK(list("linux-64", {{"CONDA_OVERRIDE_CUDA", "11.8"},
                            {"CONDA_OVERRIDE_GLIBC", "2.28"},
                            {"CONDA_OVERRIDE_LINUX", "5.10.4.2.9-x"},
                            {"CONDA_OVERRIDE_ARCHSPEC", "zen3"},
                            {"CONDA_OVERRIDE_OSX", "14.0"},
                            {"CONDA_OVERRIDE_WIN", "10.0"}}) == Names{"__archspec=1=zen3", "__cuda=11.8=0",
                                                                      "__cuda_arch=8.6=0", "__glibc=2.28=0",
                                                                      "__linux=5.10.4.2=0", "__unix=0=0"});
    CHECK(list("linux-64", {{"CONDA_OVERRIDE_CUDA", ""},
                            {"CONDA_OVERRIDE_GLIBC", ""},
                            {"CONDA_OVERRIDE_LINUX", ""},
                            {"CONDA_OVERRIDE_ARCHSPEC", ""}}) == Names{"__linux=0=0", "__unix=0=0"});
    CHECK(list("osx-64", {{"CONDA_OVERRIDE_OSX", "13.2"}, {"CONDA_OVERRIDE_CUDA", "12.0"}}) ==
          Names{"__archspec=1=x86_64", "__cuda=12.0=0", "__osx=13.2=0", "__unix=0=0"});
    CHECK(list("linux-64", {{"CONDA_OVERRIDE_LINUX", "not a version"}, {"CONDA_OVERRIDE_CUDA", ""}}) ==
          Names{"__archspec=1=x86_64_v3", "__glibc=2.36=0", "__linux=0=0", "__unix=0=0"});
}

TEST_CASE("this machine can be asked", "[virtual]") {
    const auto facts = detect_host_facts();
    CHECK_FALSE(facts.subdir.empty());
    CHECK_FALSE(facts.kernel_release.empty());
}
