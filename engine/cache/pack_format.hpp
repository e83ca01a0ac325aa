#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "cache/cache_contents.hpp"

namespace taipan {

/// A packed cache is a .tar.zst that any tar can read, made of zstd frames so that each entry has frames of its own:
///
///     frames of entry 1 | frames of entry 2 | ... | frame of the list | footer
///
/// The list is the last member of the tar, `.taipan-pack.json`: which entry lies where, with the sha256 of these bytes.
/// The footer is a skippable frame of fixed size: where the list lies, and its sha256. So entries can be unpacked in
/// any order and at the same time, and nothing is used that was cut off or changed on the way.
inline constexpr std::string_view pack_list_name = ".taipan-pack.json";
inline constexpr std::size_t pack_footer_bytes = 64;

/// A part of the pack file.
struct PackedRange {
    std::uint64_t offset = 0, size = 0; ///< of the compressed bytes
    std::string sha256;                 ///< of the compressed bytes
};

struct PackedEntry {
    CacheEntry entry;
    PackedRange range;
    std::string url; ///< of an archive: where it came from, without credentials; may be empty
};

[[nodiscard]] std::string pack_list_json(const std::vector<PackedEntry>& entries);
/// Takes nothing on trust: names that cannot be an entry's, names that come twice, and ranges that do not lie in the
/// first `pack_size` bytes are ErrorCode::corrupt_package.
Result<std::vector<PackedEntry>> parse_pack_list(std::string_view json, std::uint64_t pack_size);

[[nodiscard]] std::string pack_footer(const PackedRange& list);
/// nullopt when these are no footer's bytes.
[[nodiscard]] std::optional<PackedRange> parse_pack_footer(std::string_view bytes);

} // namespace taipan
