#pragma once

#include <array>
#include <cstdint>

/// The bytes of an index file:
///
///     IndexHeader | name blocks, in no order | NameEntry[names], sorted by name | BlockEntry[blocks] | texts
///
/// The header has a checksum of itself and one of the names and texts; each block has one in its BlockEntry, so that
/// opening a large file need not read all of it.
namespace taipan::repodata {

inline constexpr std::array<char, 8> index_magic = {'\x7f', 't', 'a', 'i', 'p', 'a', 'n', 'I'};
/// To be raised with each change of the format, or of what is read from repodata.
inline constexpr std::uint32_t index_version = 2;
inline constexpr std::uint32_t index_byte_order = 0x01020304;

/// A text among the texts.
struct IndexText {
    std::uint32_t place, size;
};

struct IndexHeader {
    std::array<char, 8> magic;
    std::uint32_t version, byte_order;
    std::uint64_t file_size;
    std::int64_t source_mtime_ns, source_size;
    std::uint64_t records, skipped, broken, removed;
    std::uint64_t names_place;   ///< offset of the entries; the texts follow them
    std::uint32_t names, blocks; ///< number of entries
    std::uint32_t text_size;     ///< bytes
    IndexText url, base_url, subdir;
    std::uint32_t unused;
    std::uint64_t names_checksum; ///< of entries and texts
    std::uint64_t checksum;       ///< of the header up to here
};

/// A name may have several blocks: a batch of the text ended within it, or it has packages in both formats.
struct NameEntry {
    IndexText name;
    std::uint32_t first_block, blocks;
};

struct BlockEntry {
    std::uint64_t place; ///< offset in the file
    std::uint64_t checksum;
    std::uint32_t size, records;
};

static_assert(sizeof(IndexHeader) == 136 && sizeof(NameEntry) == 16 && sizeof(BlockEntry) == 24);

} // namespace taipan::repodata
