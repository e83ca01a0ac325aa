#pragma once

#include <cstdint>
#include <optional>
#include <vector>

namespace taipan {

/// Which bytes of one download are there, and which are being fetched by whom, when more than one connection is at it.
/// Only bookkeeping: no bytes, no clock. The pieces always cover the whole download, without gaps and overlaps.
class Segments {
public:
    /// The piece of the request that began the download and was answered with everything from some byte on.
    static constexpr int stream = 0;

    struct Piece {
        int id = stream;
        std::uint64_t begin = 0, end = 0; ///< end: behind the last byte
        std::uint64_t done = 0;           ///< bytes from `begin` on that are there
        bool taken = false;               ///< somebody fetches the rest of it
        [[nodiscard]] std::uint64_t left() const { return end - begin - done; }
    };

    /// All of `total` bytes are the stream's, which has `streamed` of them.
    Segments(std::uint64_t total, std::uint64_t streamed);

    /// The stream keeps `size` bytes from where it is; what follows can be taken by others.
    void cut_stream(std::uint64_t size);
    /// The first bytes that nobody fetches, at most `size` of them; nullopt when there are none.
    std::optional<Piece> take(std::uint64_t size);
    /// The second half of what is left of the largest piece that somebody fetches, who then stops before it; nullopt
    /// when no half has `least` bytes.
    std::optional<Piece> take_from_others(std::uint64_t least);
    /// So many more bytes of a piece are there; at most what was left of it.
    void advance(int id, std::uint64_t bytes);
    /// Nobody fetches the rest of this piece any more.
    void give_back(int id);
    /// Appends to a piece what nobody fetches directly behind it, at most `size` bytes; false when there is nothing.
    bool extend(int id, std::uint64_t size);

    [[nodiscard]] std::uint64_t left(int id) const;
    [[nodiscard]] std::uint64_t position(int id) const; ///< of the next byte of a piece
    [[nodiscard]] std::uint64_t untaken() const;        ///< bytes that nobody fetches
    [[nodiscard]] std::uint64_t received() const;       ///< bytes that are there, in all pieces
    [[nodiscard]] std::uint64_t prefix() const;         ///< bytes that are there, from the start on without a gap
    [[nodiscard]] bool complete() const { return received() == total_; }

private:
    using Pieces = std::vector<Piece>;
    Pieces::iterator find(int id);

    std::uint64_t total_;
    int next_id_ = stream + 1;
    Pieces pieces_; ///< by place
};

/// Smaller is not worth asking for, at so many bytes a second: that would take longer than getting it.
[[nodiscard]] std::uint64_t smallest_piece_at(double rate);

/// How much a connection takes at a time, of `untaken` bytes that `connections` work on, each at `rate` bytes a second
/// (0: not known): large pieces first and smaller ones towards the end, so that all end at the same time, and none that
/// takes more than a few seconds, so that the beginning is complete early.
[[nodiscard]] std::uint64_t piece_size(std::uint64_t untaken, int connections, double rate);

} // namespace taipan
