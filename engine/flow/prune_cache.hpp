#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "cache/cache_contents.hpp"
#include "flow/cache_needs.hpp"
#include "flow/session.hpp"

namespace taipan {

/// Something of a cache that goes, or would go.
struct PrunedEntry {
    CacheEntry entry;
    EntrySize size;
};

/// What nobody needs of a cache directory: entries that are not needed, or are needed in another form only.
Result<std::vector<PrunedEntry>> unneeded_entries(const Session& session, const std::string& cache_directory,
                                                  const NeededEntries& needed, const CacheForms& kept);

/// Removes them, when no other run of taipan uses the cache; ErrorCode::locked if one goes on for too long. All are
/// out of sight before the first is removed, so a run that begins now sees none of them or all of it.
Result<void> prune_cache(Session& session, const std::string& cache_directory, const std::vector<PrunedEntry>& entries);

} // namespace taipan
