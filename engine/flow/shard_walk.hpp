#pragma once

#include <string>
#include <vector>

#include "base/result.hpp"
#include "flow/index.hpp"

namespace taipan {

/// Fetches the shards of these names and of all names that their packages can reach, those of all channels at once: the
/// shard of a dependency is asked for as soon as the first package that names it is there. With `follow` false those of
/// the names alone.
Result<void> load_shards(Session& session, LoadedIndexes& indexes, const std::vector<std::string>& names, bool follow);

} // namespace taipan
