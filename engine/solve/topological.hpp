#pragma once

#include <cstddef>
#include <vector>

#include "model/record.hpp"

namespace taipan {

/// The order in which packages are linked (conda-spec 3.6): packages without any tie first, then layer by layer,
/// alphabetical inside a layer; python before pip, menuinst as early as can be. Returns indexes into `records`.
/// Unlinking uses the reverse.
[[nodiscard]] std::vector<std::size_t> topological_order(const std::vector<PackageRecord>& records);

/// The records themselves in that order.
[[nodiscard]] std::vector<PackageRecord> topological_sort(std::vector<PackageRecord> records);

} // namespace taipan
