#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/byte_input.hpp"
#include "base/result.hpp"

namespace taipan {

/// Where bytes lie in an archive.
struct ByteRange {
    std::uint64_t offset = 0, size = 0;
    bool operator==(const ByteRange&) const = default;
};

/// One member of a zip archive that is stored as it is.
struct ZipMember {
    std::string name;
    ByteRange content;
};

/// Lists a zip (or zip64) archive by its central directory. Every member must be stored, unencrypted, inside the
/// archive and apart from the others; corrupt_package otherwise. CRCs are not computed: whoever fetched the archive
/// compares its digest.
Result<std::vector<ZipMember>> list_stored_zip(ByteInput& archive);

/// The member whose local header lies at `offset`, for reading an archive before its end, with the central directory,
/// has arrived. nullopt: there is no local header, or it does not say all (compressed, encrypted, sizes follow, zip64).
/// What it says must be compared with the central directory afterwards.
Result<std::optional<ZipMember>> zip_member_at(ByteInput& archive, std::uint64_t offset);

enum class CondaMember { metadata, package, info, other };
/// What a member of a .conda archive is for, by its name (CEP 35), whatever the stem.
[[nodiscard]] CondaMember conda_member(std::string_view name);

/// The two payloads of a .conda archive, still compressed with zstd.
struct CondaArchive {
    ByteRange package; ///< pkg-*.tar.zst: what goes into the prefix
    ByteRange info;    ///< info-*.tar.zst: the metadata
    bool operator==(const CondaArchive&) const = default;
};

/// Finds the payloads of a .conda archive; corrupt_package unless there is exactly one of each and metadata.json, if
/// there is one, names format version 2.
Result<CondaArchive> open_conda_archive(ByteInput& archive);

} // namespace taipan
