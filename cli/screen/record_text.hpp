#pragma once

#include <string>

#include "model/record.hpp"

namespace taipan::cli {

/// All that a channel says of a package, as conda's `search --info` shows it, with blank lines behind.
[[nodiscard]] std::string record_block(const PackageRecord& record);

} // namespace taipan::cli
