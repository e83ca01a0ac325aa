#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace taipan {

/// What the control group of a process allows, whatever the machine has: a container's limits, a service's, a CI job's.
struct CgroupLimits {
    std::optional<double> cores;         ///< CPU time a second
    std::optional<std::uint64_t> memory; ///< bytes
};

/// The narrowest limits of the group that `own_path` (/proc/self/cgroup) names and of those above it, below `root`
/// (/sys/fs/cgroup); of cgroups v2, or the v1 controllers. What cannot be read limits nothing.
[[nodiscard]] CgroupLimits read_cgroup_limits(const std::string& root = "/sys/fs/cgroup",
                                              const std::string& own_path = "/proc/self/cgroup");

/// `QUOTA PERIOD` of cpu.max, in cores; nothing for "max PERIOD" and for what is no such text.
[[nodiscard]] std::optional<double> cores_of_quota(std::string_view text);

/// memory.max in bytes; nothing for "max" and for what is no number.
[[nodiscard]] std::optional<std::uint64_t> bytes_of_limit(std::string_view text);

/// How many of `most` bytes downloads may keep waiting in memory under a limit: a small part of it, since decoders
/// and the index need the rest, and what is written to files can be written back.
[[nodiscard]] std::uint64_t waiting_bytes(std::uint64_t most, const CgroupLimits& limits);

} // namespace taipan
