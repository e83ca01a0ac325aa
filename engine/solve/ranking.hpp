#pragma once

#include <cstdint>
#include <vector>

#include "base/result.hpp"
#include "solve/attempt.hpp"
#include "solve/catalog.hpp"

namespace taipan::solve_detail {

/// How much entries are preferred, by EntryId.
struct Ranks {
    std::vector<std::uint32_t> ranks; ///< within the name; a greater one is preferred
    std::vector<std::uint32_t> ties;  ///< equal for variants: entries of a name that are equal up to the build number
};

/// Ranks every reached entry, without looking at its channel's priority. Order (conda-spec 11.1, 11.6): fewer
/// track_features, version, channel (with priority `disabled`), build number; among variants what is installed, the one
/// whose dependencies can be newer, timestamp, file name.
Result<Ranks> rank_entries(Catalog& catalog, const Reach& reach);

} // namespace taipan::solve_detail
