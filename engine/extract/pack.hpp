#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/result.hpp"

namespace taipan {

struct PackOptions {
    std::optional<int> level;                 ///< of the compression; else 19 (zstd) or 9 (bzip2)
    std::optional<std::int64_t> source_epoch; ///< later modification times become this one (SOURCE_DATE_EPOCH)
};

/// What was packed.
struct PackedPackage {
    std::uint64_t files = 0;
    std::uint64_t size = 0; ///< of the archive, bytes
};

/// Makes a package archive, `.conda` or `.tar.bz2` by the name of `archive`, of a directory with the content of a
/// package (`info/` and what is to be linked). The same tree gives the same bytes: members are sorted, without owners.
/// `info/repodata_record.json`, which installers add, is left out. The archive appears whole or not at all. Errors:
/// invalid_argument for another name or a directory without info/index.json; io, no_space.
Result<PackedPackage> pack_package(const std::string& directory, const std::string& archive,
                                   const PackOptions& options = {});

} // namespace taipan
