#pragma once

#include <cstdint>
#include <vector>

#include "base/result.hpp"
#include "solve/attempt.hpp"
#include "solve/catalog.hpp"

namespace taipan::solve_detail {

/// The rank of every reached entry within its name, by EntryId; a greater rank is preferred. Order (conda-spec 11.1,
/// 11.6): channel priority (unless disabled), fewer track_features, version, channel (if disabled), build number,
/// the variant whose dependencies can be newer, timestamp, what is installed, file name.
Result<std::vector<std::uint32_t>> rank_entries(Catalog& catalog, const Reach& reach);

} // namespace taipan::solve_detail
