#include "flow/pack_stream.hpp"

#include <algorithm>
#include <cerrno>

#include <poll.h>
#include <unistd.h>

#include "base/digest.hpp"
#include "base/filesystem.hpp"

namespace taipan {

namespace {

constexpr int poll_milliseconds = 50;
constexpr std::size_t most_at_once = std::size_t{1} << 20U;
constexpr std::size_t largest_list = std::size_t{64} << 20U;

Error cut_short() {
    return make_error(
        ErrorCode::corrupt_package,
        "what came is no whole pack of `taipan cache pack`: it was cut short, or made by another program; "
        "what is in the cache of it can be used all the same");
}

} // namespace

Result<void> PackStream::read(std::string& out, std::size_t count) {
    while (count > 0) {
        if (stopped_.load(std::memory_order_relaxed)) return make_error(ErrorCode::cancelled, "stopped");
        pollfd watched{fd_, POLLIN, 0};
        const int ready = ::poll(&watched, 1, poll_milliseconds);
        if (ready == 0 || (ready < 0 && errno == EINTR)) continue;
        const std::size_t before = out.size();
        out.resize(before + std::min(count, most_at_once));
        const ssize_t got = ::read(fd_, out.data() + before, out.size() - before);
        out.resize(before + static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
        if (got < 0 && (errno == EINTR || errno == EAGAIN)) continue;
        if (got < 0) return system_error(errno, "cannot read", "the pack");
        if (got == 0) return {};
        count -= static_cast<std::size_t>(got);
        read_ += static_cast<std::uint64_t>(got);
    }
    return {};
}

/// After the start of a head: the rest of it, and the frame.
Result<PackPiece> PackStream::read_piece(std::size_t head_bytes, std::string& frame) {
    std::string head;
    TAIPAN_CHECK(read(head, head_bytes));
    if (head.size() < head_bytes) return cut_short();
    TAIPAN_TRY(PackPiece piece, parse_pack_piece(head));
    frame.clear();
    TAIPAN_CHECK(read(frame, static_cast<std::size_t>(piece.size)));
    if (frame.size() < piece.size) return cut_short();
    if (!belongs_to(piece, frame)) {
        return make_error(ErrorCode::corrupt_package,
                          piece.entry.name + " is not as it was packed: its bytes have changed");
    }
    return piece;
}

/// `list`: the first bytes behind the last entry. What follows must be the list of entries and the footer.
Result<void> PackStream::check_end(std::string list) {
    const std::uint64_t offset = read_ - list.size();
    TAIPAN_CHECK(read(list, largest_list));
    if (list.size() < pack_footer_bytes) return cut_short();
    const auto footer = parse_pack_footer(std::string_view(list).substr(list.size() - pack_footer_bytes));
    list.resize(list.size() - pack_footer_bytes);
    const bool whole = footer && footer->offset == offset && footer->size == list.size();
    if (!whole || sha256_hex(list) != footer->sha256) return cut_short();
    return {};
}

Result<std::optional<PackStream::Entry>> PackStream::next() {
    std::optional<Entry> entry;
    std::string frame;
    while (true) {
        std::string start;
        TAIPAN_CHECK(read(start, pack_piece_start_bytes));
        const auto head_bytes = parse_pack_piece_start(start);
        if (!head_bytes) {
            if (entry) return cut_short();
            TAIPAN_CHECK(check_end(std::move(start)));
            return std::optional<Entry>();
        }
        TAIPAN_TRY(const PackPiece piece, read_piece(*head_bytes, frame));
        if (!entry) {
            TAIPAN_TRY(Body body, Body::open(budget_, spool_directory_, 0));
            entry.emplace(Entry{{piece.entry, {}, piece.url, {}}, std::move(body)});
        } else if (entry->packed.entry != piece.entry) {
            return make_error(ErrorCode::corrupt_package, piece.entry.name + " begins before another entry has ended");
        }
        TAIPAN_CHECK(entry->body.append(frame));
        entry->packed.range.size += frame.size();
        if (!piece.last) continue;
        TAIPAN_CHECK(entry->body.flush());
        return entry;
    }
}

} // namespace taipan
