#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

/// The bytes of a name block: all packages of one name of one subdir, so that what is read together lies together.
///
///     BlockHead | BlockRecord[] | key words, 64 bits | BlockVersion[] | BlockDependency[] | list words, 32 bits |
///     text ends, 32 bits | text | padding to a multiple of 8
///
/// Everything is of the machine's own byte order (a file of another machine is not accepted). Texts are numbered, each
/// is there once; number 0 is the empty one. A list is a count and that many numbers, and is named by where it begins;
/// list 0 is empty. Whoever reads a block trusts no number in it.
namespace taipan::repodata {

inline constexpr std::size_t block_alignment = 8;

struct BlockHead {
    std::uint32_t records, key_words, versions, dependencies, list_words, texts, text_size;
    std::uint32_t needed_names; ///< list: texts, the names that anything here depends on
};

struct BlockVersion {
    std::uint32_t text, key, key_size; ///< no key: the text is no version
};

struct BlockDependency {
    std::uint32_t text, name;
};

/// Flags of a record.
enum BlockFlags : std::uint32_t {
    noarch_mask = 3,
    has_size = 1 << 2,
    has_timestamp = 1 << 3,
    has_md5 = 1 << 4,
    has_sha256 = 1 << 5,
    is_tar_bz2 = 1 << 6, ///< the file name is `<name>-<version>-<build>.tar.bz2`
    is_conda = 1 << 7,   ///< the same with `.conda`; with neither it is a rare field
};

/// What few records have, or have in odd forms: a list of pairs, this and a text.
enum class RareField : std::uint32_t {
    fn,
    md5,
    sha256,
    legacy_bz2_md5,
    legacy_bz2_size, ///< decimal
    track_features,
    features,
    python_site_packages_path,
    arch,
    platform,
    date,
};

struct BlockRecord {
    std::array<unsigned char, 32> sha256;
    std::array<unsigned char, 16> md5;
    std::uint64_t size;
    std::int64_t timestamp, build_number;
    std::uint32_t flags;
    std::uint32_t version;                                ///< BlockVersion
    std::uint32_t build, subdir, license, license_family; ///< texts
    std::uint32_t depends, constrains;                    ///< lists of BlockDependency
    std::uint32_t rare;                                   ///< list
    std::uint32_t unused;
};

static_assert(sizeof(BlockHead) == 32 && sizeof(BlockVersion) == 12 && sizeof(BlockDependency) == 8);
static_assert(sizeof(BlockRecord) == 112 && alignof(BlockRecord) == block_alignment);

} // namespace taipan::repodata
