#pragma once

#include <string>

#include "config/config.hpp"
#include "program/command.hpp"

namespace taipan::cli {

/// What `info` is to show.
enum class MambaInfo {
    all,  ///< every label
    base, ///< the root prefix alone
};

/// `info` under the names mamba and micromamba: their labels, which are the keys of their JSON too. `prefix` is the
/// environment that is told of.
[[nodiscard]] std::string mamba_info(const Invocation& invocation, const Config& config, const std::string& prefix,
                                     MambaInfo what);

/// The URLs of the configured channels, for the platform and noarch. Without credentials.
[[nodiscard]] std::vector<std::string> shown_channel_urls(const Config& config);

/// `name=version=build` of each package that stands for something of this machine.
[[nodiscard]] std::vector<std::string> shown_virtual_packages(const Config& config);

} // namespace taipan::cli
