#pragma once

#include <optional>
#include <string>

#include "base/filesystem.hpp"
#include "base/result.hpp"
#include "cache/package_cache.hpp"
#include "extract/extract.hpp"
#include "flow/plan.hpp"
#include "link/package_info.hpp"

namespace taipan {

/// A package that lies whole and verified in the cache, or in a place of its own.
struct CachedPackage {
    std::size_t index = 0;  ///< in the plan's `link`
    PackageRecord record;   ///< completed from the package's own info/index.json
    std::string directory;  ///< extracted
    PackageInfoTexts info;  ///< what the linker needs to know of it
    bool contained = false; ///< no symlink in it leads out of it
    UniqueFd fd;            ///< of the directory, if it is open already
    /// The directory itself if it is in no cache: its files can be moved, and what is left of it goes with this.
    std::optional<StagedDirectory> tree;
};

/// What the linker needs to know, of what the extraction has read on its way.
[[nodiscard]] PackageInfoTexts linker_texts(PackageInfo&& info);

/// Completes the record of a planned package from the package's own info/index.json.
Result<void> complete(CachedPackage& package, const PlannedPackage& planned);

/// A directory that another tool has made is checked once, and remembered by the cache then. What is wrong with it, or
/// nothing.
Result<std::string> look_at_foreign(CachedPackage& package, const PlannedPackage& planned, const PackageCache& cache);

} // namespace taipan
