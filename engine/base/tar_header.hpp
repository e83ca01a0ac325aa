#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include <sys/types.h>
#include <time.h>

namespace taipan {

inline constexpr std::size_t tar_block_bytes = 512;

/// What a tar says of a member. Owner and group are always root.
struct TarHeader {
    enum class Kind : char { file = '0', symlink = '2', directory = '5' };
    Kind kind = Kind::file;
    std::string path;       ///< relative, without a trailing slash
    std::string target;     ///< of a symlink
    std::uint64_t size = 0; ///< of a file
    mode_t mode = 0644;     ///< permission bits; others are ignored
    timespec modified{};
};

/// The blocks in front of a member's content, as POSIX has them: ustar where that can say it all, else with a pax
/// header (names that are long or not ASCII, large files, parts of a second). The same for the same header, on any
/// machine.
[[nodiscard]] std::string tar_header(const TarHeader& header);

/// How many zero bytes follow after content of this size, up to the next block.
[[nodiscard]] std::size_t tar_padding(std::uint64_t size);

/// The two empty blocks at the end.
[[nodiscard]] std::string tar_end();

} // namespace taipan
