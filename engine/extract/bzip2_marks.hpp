#pragma once

#include <array>
#include <cstdint>
#include <string_view>
#include <vector>

namespace taipan {

/// A place in bzip2 data where a block, or the end record of a stream, may begin: its 48-bit magic number stands there.
/// Compressed data can contain these bits by chance or on purpose.
struct Bzip2Mark {
    std::uint64_t bit = 0; ///< of the magic number's first bit, from the start of the data
    bool end = false;      ///< an end record's
    bool operator==(const Bzip2Mark&) const = default;
};

inline constexpr std::uint64_t bzip2_block_magic = 0x314159265359;
inline constexpr std::uint64_t bzip2_end_magic = 0x177245385090;
inline constexpr unsigned bzip2_magic_bits = 48;

/// Finds the marks in data that comes in pieces. Nothing in bzip2 is aligned, so every bit offset is looked at.
class Bzip2MarkFinder {
public:
    Bzip2MarkFinder();
    /// Looks at the bytes that follow those of the last call, and appends the marks to `found`, in order.
    void scan(std::string_view bytes, std::vector<Bzip2Mark>& found);

private:
    /// Which of the 2 x 8 alignments of the magic numbers can have this byte at one place: a bit for each.
    using Filter = std::array<std::uint16_t, 256>;
    Filter second_{}, third_{};
    std::uint64_t last_ = 0; ///< the last eight bytes
    std::uint64_t read_ = 0; ///< bytes
};

} // namespace taipan
