#pragma once

#include <cstdint>
#include <ctime>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "model/record.hpp"

namespace taipan {

/// Changes when what is in a cache can no longer be used by a taipan of before, or the other way round.
inline constexpr int cache_version = 1;

/// The parts of a package cache, each of which can be had or gone by itself.
enum class CacheEntryKind {
    archive,  ///< a package as served
    package,  ///< an extracted one
    bytecode, ///< of one package, made by one interpreter
    index,    ///< a file of the cached indexes
};
inline constexpr int cache_entry_kinds = 4;

/// "archive", "package", "bytecode", "index".
[[nodiscard]] std::string_view to_string(CacheEntryKind kind);

struct CacheEntry {
    CacheEntryKind kind = CacheEntryKind::archive;
    std::string name; ///< below the cache directory: "zlib-1.3-0.conda", "zlib-1.3-0", ".taipan-pyc/...", "cache/..."
    friend bool operator==(const CacheEntry&, const CacheEntry&) = default;
};

/// Whether an entry of this kind can have this name: the form that `list_cache` finds, and nothing that leads
/// elsewhere. For names from outside.
[[nodiscard]] bool is_entry_name(CacheEntryKind kind, std::string_view name);

/// What lies in a cache directory in conda's flat layout, by kind, then by the bytes of the name. Nothing that
/// is being made. What cannot be read is left out.
[[nodiscard]] std::vector<CacheEntry> list_cache(const std::string& cache_directory);

/// What an entry weighs.
struct EntrySize {
    std::uint64_t files = 0, bytes = 0;
    bool linked = false;         ///< one of its files has another name, which is in an environment
    std::time_t last_change = 0; ///< when any of it was made, linked or unlinked last
};
[[nodiscard]] EntrySize measure_entry(const std::string& cache_directory, const CacheEntry& entry);

/// What some environments need of a cache, whether it is there or not.
class NeededEntries {
public:
    /// All that there can be of a package: archive, extracted, bytecode.
    void add(const PackageRecord& record);
    /// The cached index that goes by this key (of repodata and its state, or of shards).
    void add_index(std::string key) { index_keys_.insert(std::move(key)); }
    [[nodiscard]] bool wants(const CacheEntry& entry) const;

private:
    std::set<std::string, std::less<>> archives_, packages_, bytecode_, index_keys_;
};

} // namespace taipan
