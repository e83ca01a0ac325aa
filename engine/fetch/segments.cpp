#include "fetch/segments.hpp"

#include <algorithm>

namespace taipan {

namespace {

constexpr std::uint64_t smallest_piece = std::uint64_t{1} << 20U;
constexpr std::uint64_t largest_piece = std::uint64_t{64} << 20U;
/// A piece is to take at least so many seconds: several round trips.
constexpr double shortest_piece_seconds = 0.15;
/// And at most so many.
constexpr double longest_piece_seconds = 2;

} // namespace

Segments::Segments(std::uint64_t total, std::uint64_t streamed) : total_(total) {
    pieces_.push_back({stream, 0, total, std::min(streamed, total), true});
}

Segments::Pieces::iterator Segments::find(int id) {
    return std::find_if(pieces_.begin(), pieces_.end(), [&](const Piece& piece) { return piece.id == id; });
}

void Segments::cut_stream(std::uint64_t size) {
    const auto piece = find(stream);
    if (piece == pieces_.end() || piece->left() <= size) return;
    const std::uint64_t middle = piece->begin + piece->done + size;
    const Piece rest{next_id_++, middle, piece->end, 0, false};
    piece->end = middle;
    pieces_.insert(piece + 1, rest);
}

std::optional<Segments::Piece> Segments::take(std::uint64_t size) {
    const auto free = std::find_if(pieces_.begin(), pieces_.end(),
                                   [](const Piece& piece) { return !piece.taken && piece.left() > 0; });
    if (free == pieces_.end()) return std::nullopt;
    const auto at = static_cast<std::size_t>(free - pieces_.begin());
    if (free->done > 0) { // what is there already stays behind as a piece of its own
        const Piece rest{next_id_++, free->begin + free->done, free->end, 0, false};
        free->end = rest.begin;
        pieces_.insert(free + 1, rest);
        return take(size);
    }
    if (free->left() > size) {
        const Piece rest{next_id_++, free->begin + size, free->end, 0, false};
        free->end = rest.begin;
        pieces_.insert(free + 1, rest);
    }
    pieces_[at].taken = true;
    return pieces_[at];
}

std::optional<Segments::Piece> Segments::take_from_others(std::uint64_t least) {
    const auto largest = std::max_element(pieces_.begin(), pieces_.end(), [](const Piece& a, const Piece& b) {
        return (a.taken ? a.left() : 0) < (b.taken ? b.left() : 0);
    });
    if (largest == pieces_.end() || !largest->taken || largest->left() / 2 < std::max<std::uint64_t>(least, 1)) {
        return std::nullopt;
    }
    const Piece half{next_id_++, largest->end - largest->left() / 2, largest->end, 0, true};
    largest->end = half.begin;
    pieces_.insert(largest + 1, half);
    return half;
}

void Segments::advance(int id, std::uint64_t bytes) {
    const auto piece = find(id);
    if (piece != pieces_.end()) piece->done += std::min(bytes, piece->left());
}

void Segments::give_back(int id) {
    const auto piece = find(id);
    if (piece != pieces_.end()) piece->taken = false;
}

bool Segments::extend(int id, std::uint64_t size) {
    const auto piece = find(id);
    if (piece == pieces_.end()) return false;
    const auto next = piece + 1;
    if (next == pieces_.end() || next->taken || next->done > 0 || next->left() == 0) return false;
    const std::uint64_t more = std::min(size, next->left());
    piece->end += more;
    next->begin += more;
    if (next->begin == next->end) pieces_.erase(next);
    return true;
}

std::uint64_t Segments::left(int id) const {
    for (const Piece& piece : pieces_) {
        if (piece.id == id) return piece.left();
    }
    return 0;
}

std::uint64_t Segments::position(int id) const {
    for (const Piece& piece : pieces_) {
        if (piece.id == id) return piece.begin + piece.done;
    }
    return 0;
}

std::uint64_t Segments::untaken() const {
    std::uint64_t sum = 0;
    for (const Piece& piece : pieces_) sum += piece.taken ? 0 : piece.left();
    return sum;
}

std::uint64_t Segments::received() const {
    std::uint64_t sum = 0;
    for (const Piece& piece : pieces_) sum += piece.done;
    return sum;
}

std::uint64_t Segments::prefix() const {
    std::uint64_t end = 0;
    for (const Piece& piece : pieces_) {
        end = piece.begin + piece.done;
        if (piece.left() > 0) break;
    }
    return end;
}

std::uint64_t smallest_piece_at(double rate) {
    return std::clamp(static_cast<std::uint64_t>(std::max(rate, 0.0) * shortest_piece_seconds), smallest_piece,
                      largest_piece);
}

std::uint64_t piece_size(std::uint64_t untaken, int connections, double rate) {
    const std::uint64_t shortest = smallest_piece_at(rate);
    const auto longest = static_cast<std::uint64_t>(std::max(rate, 0.0) * longest_piece_seconds);
    const std::uint64_t share = untaken / static_cast<std::uint64_t>(2 * std::max(connections, 1));
    return std::clamp(share, shortest, longest == 0 ? largest_piece : std::clamp(longest, shortest, largest_piece));
}

} // namespace taipan
