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
/// any order and at the same time, and nothing is used that was cut off or changed on the way. For whoever reads the
/// file as it arrives, a skippable frame in front of each frame of an entry tells what comes (PackPiece).
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
    std::string url;            ///< of an archive: where it came from, without credentials; may be empty
    std::string content_sha256; ///< of an archive: its own; may be empty
};

/// What is told in front of a frame.
struct PackPiece {
    CacheEntry entry;
    std::string url;        ///< as in PackedEntry
    std::uint64_t size = 0; ///< of the frame
    bool last = false;      ///< of the entry's frames
    std::string sha256;     ///< of all this and of the frame
};
inline constexpr std::size_t pack_piece_start_bytes = 8;

/// The skippable frame in front of `frame`; `size` and `sha256` of `piece` are found out.
[[nodiscard]] std::string pack_piece_head(PackPiece piece, std::string_view frame);
/// How many bytes follow the first `pack_piece_start_bytes`; nullopt when these begin no such head.
[[nodiscard]] std::optional<std::size_t> parse_pack_piece_start(std::string_view bytes);
/// Of what follows. Names and sizes that cannot be are corrupt_package.
Result<PackPiece> parse_pack_piece(std::string_view bytes);
/// Whether head and frame are as they were packed.
[[nodiscard]] bool belongs_to(const PackPiece& piece, std::string_view frame);

[[nodiscard]] std::string pack_list_json(const std::vector<PackedEntry>& entries);
/// Takes nothing on trust: names that cannot be an entry's, names that come twice, and ranges that do not lie in the
/// first `pack_size` bytes are ErrorCode::corrupt_package.
Result<std::vector<PackedEntry>> parse_pack_list(std::string_view json, std::uint64_t pack_size);

[[nodiscard]] std::string pack_footer(const PackedRange& list);
/// nullopt when these are no footer's bytes.
[[nodiscard]] std::optional<PackedRange> parse_pack_footer(std::string_view bytes);

} // namespace taipan
