#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include <sys/types.h>
#include <time.h>

namespace taipan {

inline constexpr std::size_t tar_block_bytes = 512;

/// What a tar says of a member, without owners.
struct TarHeader {
    enum class Kind : char { file = '0', symlink = '2', directory = '5' };
    Kind kind = Kind::file;
    std::string path;
    std::string target;     ///< of a symlink
    std::uint64_t size = 0; ///< of a file
    mode_t mode = 0644;
    timespec modified{};
};

/// The blocks in front of a member's content, as POSIX has them: ustar where that can say it all, else with a pax
/// header (long paths, large files, parts of a second). Names are bytes of any encoding. The same for the same header.
[[nodiscard]] std::string tar_header(const TarHeader& header);

/// The bytes after content of this size, up to the next block.
[[nodiscard]] std::size_t tar_padding(std::uint64_t size);

} // namespace taipan
