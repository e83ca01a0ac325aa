#include "flow/prune_cache.hpp"

#include <tbb/parallel_for.h>
#include <tbb/task_arena.h>

#include "base/filesystem.hpp"
#include "cache/cache_clearing.hpp"
#include "cache/cache_index.hpp"
#include "cache/cache_uses.hpp"
#include "flow/first_error.hpp"

namespace taipan {

namespace {

constexpr double patience_seconds = 30;

bool stays(const CacheEntry& entry, const NeededEntries& needed, const CacheForms& kept) {
    if (!needed.wants(entry)) return false;
    switch (entry.kind) {
    case CacheEntryKind::archive: return kept.archives;
    case CacheEntryKind::package: return kept.extracted;
    case CacheEntryKind::bytecode: return kept.bytecode;
    case CacheEntryKind::index: return true;
    }
    return true;
}

} // namespace

Result<std::vector<PrunedEntry>> unneeded_entries(const Session& session, const std::string& cache_directory,
                                                  const NeededEntries& needed, const CacheForms& kept) {
    std::vector<PrunedEntry> entries;
    for (auto& entry : list_cache(cache_directory)) {
        if (!stays(entry, needed, kept)) entries.push_back({std::move(entry), {}});
    }
    tbb::task_arena arena(session.workers());
    arena.execute([&] {
        tbb::parallel_for(std::size_t{0}, entries.size(),
                          [&](std::size_t i) { entries[i].size = measure_entry(cache_directory, entries[i].entry); });
    });
    return entries;
}

Result<void> prune_cache(Session& session, const std::string& cache_directory,
                         const std::vector<PrunedEntry>& entries) {
    std::vector<std::string> doomed;
    {
        TAIPAN_TRY(const auto clearing, CacheClearing::begin(cache_directory, patience_seconds));
        for (const auto& pruned : entries) {
            TAIPAN_TRY(auto path, clearing.set_aside(pruned.entry));
            if (!path.empty()) doomed.push_back(std::move(path));
        }
        TAIPAN_CHECK(CacheIndex::prune(cache_directory));
        TAIPAN_CHECK(trim_cache_uses(cache_directory));
    }
    FirstError errors;
    tbb::task_arena arena(session.workers());
    arena.execute([&] {
        tbb::parallel_for(std::size_t{0}, doomed.size(), [&](std::size_t i) { errors.take(remove_tree(doomed[i])); });
    });
    return errors.result();
}

} // namespace taipan
