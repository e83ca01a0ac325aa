#pragma once

#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace taipan {

/// One member of a zip archive that is stored as it is.
struct ZipMember {
    std::string_view name;
    std::string_view content; ///< points into the archive
};

/// Lists a zip (or zip64) archive that lies whole in memory. Every member must be stored, unencrypted, inside the
/// archive and apart from the others; corrupt_package otherwise. CRCs are not computed: whoever fetched the archive
/// compared its digest.
Result<std::vector<ZipMember>> list_stored_zip(std::string_view archive);

/// The two payloads of a .conda archive, still compressed with zstd.
struct CondaArchive {
    std::string_view package; ///< pkg-*.tar.zst: what goes into the prefix
    std::string_view info;    ///< info-*.tar.zst: the metadata
};

/// Finds the payloads of a .conda archive (CEP 35) whatever the stem of their names; corrupt_package unless there is
/// exactly one of each and metadata.json names format version 2.
Result<CondaArchive> open_conda_archive(std::string_view archive);

} // namespace taipan
