#pragma once

#include <cstdint>
#include <mutex>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include <tbb/enumerable_thread_specific.h>

#include "base/byte_input.hpp"
#include "base/filesystem.hpp"
#include "cache/pack_format.hpp"
#include "cache/package_cache.hpp"
#include "extract/extract.hpp"
#include "fetch/body.hpp"
#include "flow/pack.hpp"
#include "flow/session.hpp"

namespace taipan {

/// Makes entries of a cache of what lies in a pack, each whole or not at all. Thread-safe.
class EntryUnpacker {
public:
    EntryUnpacker(Session& session, const PackageCache& cache, UnpackForm form)
        : session_(session), cache_(cache), form_(form), budget_(bytes_in_memory) {}

    /// `input` has the frames of the entry. Their digest is compared, unless `packed` has none since that was done.
    Result<void> make(const PackedEntry& packed, ByteInput& input);
    /// When all entries are made, as far as they could be: makes what must be last. To be left out where entries may be
    /// missing; what was made is whole also without.
    Result<PackReport> finish();
    /// What may wait in memory to be unpacked.
    [[nodiscard]] MemoryBudget& budget() { return budget_; }

private:
    static constexpr std::uint64_t bytes_in_memory = std::uint64_t{64} << 20U;

    Result<bool> make_any(const PackedEntry& packed, ByteInput& input);
    Result<PackageLock> lock(const std::string& fn);
    Result<bool> make_archive(const PackedEntry& packed, ByteInput& input);
    Result<bool> extract_archive(const PackedEntry& packed, ByteInput& input);
    Result<bool> make_index_file(const PackedEntry& packed, ByteInput& input);
    Result<bool> make_package(const PackedEntry& packed, ByteInput& input);
    Result<bool> make_bytecode(const PackedEntry& packed, ByteInput& input);
    Result<ExtractedPackage> write_tree(const PackedEntry& packed, ByteInput& input, const StagedDirectory& staged);
    Result<PackageRecord> record_of(const StagedDirectory& staged, const ExtractedPackage& content) const;
    [[nodiscard]] std::string destination(const PackedEntry& packed) const {
        return cache_.writable_directory() + '/' + packed.entry.name;
    }

    Session& session_;
    const PackageCache& cache_;
    UnpackForm form_;
    MemoryBudget budget_;
    tbb::enumerable_thread_specific<ExtractContext> contexts_;
    /// A state file: it says that the other files of its index are there, and fit each other.
    struct State {
        std::string path, text;
        timespec modified{};
    };
    std::mutex mutex_;                 ///< guards what follows
    std::vector<State> states_;        ///< for `finish`
    std::set<std::string> incomplete_; ///< paths of states whose other files could not be made
    PackReport report_;
};

} // namespace taipan
