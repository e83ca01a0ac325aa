#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "model/record.hpp"

namespace taipan {

/// What this machine is, as far as virtual packages tell. An empty string: not detected or not there.
struct HostFacts {
    std::string subdir;         ///< of the running binary
    std::string kernel_release; ///< `uname -r`
    std::string glibc_version;  ///< `2.36`
    std::string archspec;       ///< `x86_64_v3`, `aarch64`
    std::string cuda_version;   ///< of the driver, `12.4`
    std::string cuda_arch;      ///< lowest compute capability of the devices, `8.6`
    std::string macos_version;
};

/// Asks the machine. Loading the CUDA driver happens in a child process, since cuInit spoils fork.
[[nodiscard]] HostFacts detect_host_facts();

/// The virtual packages of a target platform (conda-spec 8): those of `target_subdir`, not of the host.
/// `environment` holds the `CONDA_OVERRIDE_*` variables that are set (others are ignored).
[[nodiscard]] std::vector<PackageRecord> virtual_packages_for(std::string_view target_subdir, const HostFacts& host,
                                                              const std::map<std::string, std::string>& environment);

/// Both together.
[[nodiscard]] std::vector<PackageRecord> detect_virtual_packages(std::string_view target_subdir,
                                                                 const std::map<std::string, std::string>& environment);

} // namespace taipan
