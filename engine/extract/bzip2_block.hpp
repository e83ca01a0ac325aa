#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace taipan {

/// Reads `count` (<= 32) bits at bit offset `bit`, which lie inside of `bytes`.
[[nodiscard]] std::uint32_t bits_at(std::string_view bytes, std::uint64_t bit, unsigned count);

/// Makes a bzip2 stream of its own out of the block in `bytes` from bit `begin` to bit `end`: header, the block, end
/// record. `level` is the digit of its stream's header.
void pack_block(std::string_view bytes, std::uint64_t begin, std::uint64_t end, char level, std::string& stream);

/// Decodes single blocks with libbz2. Keeps its memory (about 4 MB) for the next one.
class Bzip2BlockDecoder {
public:
    Bzip2BlockDecoder();
    Bzip2BlockDecoder(const Bzip2BlockDecoder&) = delete;
    Bzip2BlockDecoder& operator=(const Bzip2BlockDecoder&) = delete;
    ~Bzip2BlockDecoder();

    enum class Outcome {
        finished, ///< all of it was given out, and its checksum is right
        more,     ///< the output is full; the block ends where it should
        refused,  ///< it is damaged, or does not end where the packed bits do
    };
    struct Piece {
        std::size_t size = 0;
        Outcome outcome = Outcome::refused;
    };

    /// Starts with a packed block, which must stay unchanged until its last piece.
    Result<void> start(std::string_view stream);
    /// Writes up to `room` bytes of it to `output`. Blocks of long runs come to fifty times their usual size, in many
    /// pieces; once the first piece was not refused, the end is where it should be.
    Result<Piece> next(char* output, std::size_t room);

    /// For a block whose end is not known: how many bytes of `stream`, which starts with a header and the block and
    /// goes on behind it, the decoder takes until the block's last bit. nullopt: the block is damaged or goes on behind
    /// them.
    Result<std::optional<std::size_t>> find_end(std::string_view stream);

private:
    struct Library;
    std::unique_ptr<Library> library_;
    std::size_t size_ = 0; ///< of the packed block
    bool first_ = false;
};

} // namespace taipan
