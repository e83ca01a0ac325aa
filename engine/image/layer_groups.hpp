#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "base/result.hpp"

namespace taipan {

/// A package, as far as it matters for which layer it goes into.
struct LayerMember {
    std::string name;       ///< of the package, without version
    std::uint64_t size = 0; ///< of its files, in bytes
};

/// Which packages share a layer, as indexes into `members`; at most `limit` (3 or more) layers, none empty. Large
/// packages have one each, in the order given; the others are sorted into buckets by their names alone, so that another
/// version of one, or another set of packages, leaves the other layers as they are.
[[nodiscard]] std::vector<std::vector<std::size_t>> group_layers(const std::vector<LayerMember>& members,
                                                                 std::size_t limit);

} // namespace taipan
