#pragma once

#include <cstdint>
#include <memory>
#include <string_view>

#include <sys/types.h>
#include <time.h>

#include "base/result.hpp"
#include "extract/byte_source.hpp"

namespace taipan {

/// One member of a tar archive. The views hold until the reader moves on to the next member.
struct TarMember {
    enum class Kind { file, directory, symlink, hardlink, other };
    Kind kind = Kind::other;
    std::string_view path;   ///< as in the archive, not judged
    std::string_view target; ///< of a symlink or hard link, as in the archive
    std::uint64_t size = 0;  ///< of a file, holes included, bytes
    mode_t mode = 0;         ///< permission bits as in the archive
    timespec modified{};
};

/// Some of a file's content. Offsets grow; what lies between two pieces is a hole.
struct TarPiece {
    std::string_view bytes;
    std::uint64_t offset = 0;
};

/// Reads ustar, GNU and pax archives, uncompressed, member by member (libarchive).
class TarReader {
public:
    /// Begins to read `source`, which must outlive the reader.
    static Result<TarReader> open(ByteSource& source);
    TarReader(TarReader&&) noexcept;
    TarReader& operator=(TarReader&&) noexcept;
    TarReader(const TarReader&) = delete;
    TarReader& operator=(const TarReader&) = delete;
    ~TarReader();

    /// Moves to the next member; what was not read of the last one is skipped. False at the end, when the rest of
    /// the source has been read too, so that damage behind the last member is found. corrupt_package otherwise.
    Result<bool> next(TarMember& member);
    /// The next piece of the present file; false at its end.
    Result<bool> next_piece(TarPiece& piece);

private:
    struct State;
    explicit TarReader(std::unique_ptr<State> state);
    std::unique_ptr<State> state_;
};

} // namespace taipan
