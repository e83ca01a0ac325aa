#pragma once

#include <cstdint>
#include <string>

#include "base/result.hpp"
#include "model/record.hpp"

namespace taipan::cli {

/// Bytes that an installed package takes, as conda counts: its files by its record, links left out, and the record.
Result<std::uint64_t> installed_size(const std::string& prefix, const PackageRecord& package);
/// All packages of an environment and what else is in conda-meta.
Result<std::uint64_t> environment_size(const std::string& prefix);
/// `260 KB`, `4.7 MB`, as conda writes sizes.
[[nodiscard]] std::string conda_bytes(std::uint64_t bytes);

} // namespace taipan::cli
