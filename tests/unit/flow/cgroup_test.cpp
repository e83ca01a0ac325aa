#include "flow/cgroup.hpp"

#include <cstdint>
#include <string>

#include <catch2/catch.hpp>

#include "scratch.hpp"

using namespace taipan;

TEST_CASE("quotas and limits as the kernel writes them") {
    CHECK(cores_of_quota("150000 100000\n") == 1.5);
    CHECK_FALSE(cores_of_quota("max 100000\n"));
    CHECK_FALSE(cores_of_quota("-1 100000\n")); // v1: none
    CHECK_FALSE(cores_of_quota("100000 0\n"));
    CHECK_FALSE(cores_of_quota("100000"));
    CHECK_FALSE(cores_of_quota(""));
    CHECK(bytes_of_limit("134217728\n") == 134217728U);
    CHECK_FALSE(bytes_of_limit("max\n"));
    CHECK_FALSE(bytes_of_limit("12 34\n"));
    CHECK_FALSE(bytes_of_limit(""));
}

TEST_CASE("downloads wait in a small part of the memory there is") {
    CHECK(waiting_bytes(6U << 20U, {}) == 6U << 20U);
    CHECK(waiting_bytes(6U << 20U, {{}, std::uint64_t{8} << 30U}) == 6U << 20U);
    CHECK(waiting_bytes(6U << 20U, {{}, 64U << 20U}) == 2U << 20U);
    CHECK(waiting_bytes(6U << 20U, {{}, 0U}) == 0U);
}

TEST_CASE("the narrowest limit of a group and those above it counts") {
    const Scratch scratch;
    const std::string root = scratch.path;
    const auto put = [&](const std::string& path, const std::string& text) { scratch.write(path, text); };
    put("v2", "0::/job/step\n");
    put("job/step/memory.max", "max\n");
    put("job/step/cpu.max", "400000 100000\n");
    put("job/memory.max", "1000\n");
    put("memory.max", "5000\n"); // as in a container, which sees its own group as the root
    put("cpu.max", "200000 100000\n");
    auto limits = read_cgroup_limits(root, root + "/v2");
    CHECK(limits.memory == 1000U);
    CHECK(limits.cores == 2.0);

    limits = read_cgroup_limits(root, root + "/missing");
    CHECK(limits.memory == 5000U);

    put("outside", "0::/../other\n");
    CHECK(read_cgroup_limits(root, root + "/outside").memory == 5000U);

    put("v1", "4:memory:/job\n3:cpu,cpuacct:/job\n1:name=systemd:/elsewhere\n");
    put("old/memory/job/memory.limit_in_bytes", "700\n");
    put("old/cpu/job/cpu.cfs_quota_us", "-1\n");
    put("old/cpu/job/cpu.cfs_period_us", "100000\n");
    put("old/cpu/cpu.cfs_quota_us", "50000\n");
    put("old/cpu/cpu.cfs_period_us", "100000\n");
    limits = read_cgroup_limits(root + "/old", root + "/v1");
    CHECK(limits.memory == 700U);
    CHECK(limits.cores == 0.5);

    limits = read_cgroup_limits(root + "/nothing", root + "/v1");
    CHECK_FALSE(limits.memory);
    CHECK_FALSE(limits.cores);
}
