#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>

#include "base/result.hpp"
#include "fetch/body.hpp"
#include "fetch/exchange.hpp"
#include "fetch/segments.hpp"

namespace taipan {

/// One thing to download.
struct TransferRequest {
    std::vector<TransferSource> urls; ///< mirrors in order
    std::string shown_url;            ///< what messages and events say instead
    std::vector<std::string> headers;
    std::string spool_directory;                        ///< for bodies that do not fit in memory; empty: memory only
    std::uint64_t expected_size = 0;                    ///< 0 when unknown; another length is an error
    std::uint64_t size_limit = std::uint64_t{8} << 30U; ///< more bytes than that are refused
    bool consumed = false;                              ///< the body is read once, and may shrink meanwhile
    bool digest_known = false;                          ///< what parts make together will be compared with a digest
    bool brief = false;                          ///< waits for round trips, not for bytes: many of these run at once
    bool accepts_gzip = false;                   ///< the server may compress the answer; the body has it inflated
    bool fans_out = false;                       ///< what it brings tells of further ones, asked for at once
    bool in_parts = false;                       ///< over several connections from the start: see fetch/parts.hpp
    std::function<void()> started;               ///< when its turn comes; called on the network thread
    std::function<void(std::uint64_t)> progress; ///< bytes so far; called on the network thread
    /// The body is open and empty, at first and whenever the download starts over; called on the network thread.
    std::function<void(const Body&)> opened;
    /// So many bytes from the start on are in the body; called on the network thread, for about each 256 kB.
    std::function<void(std::uint64_t)> arrived;
};

/// What a server answered: a complete body (status 200), or 304 without one.
struct Download {
    long status = 0;
    Body body;
    bool resumed = false;   ///< glued together from several answers: a wrong hash may be nobody's fault but ours
    std::size_t source = 0; ///< which of the URLs it came from in the end; the same as in the (reordered) request
    std::string etag, last_modified, cache_control;
};

/// One download: tries mirrors in turn, retries with back-off, resumes where the server allows it, and lets further
/// connections help with a large one. Everything happens on the network thread.
class Transfer {
public:
    /// All but `request` outlive it.
    Transfer(CurlLoop& loop, const TransferSettings& settings, TransferRequest request, MemoryBudget& budget,
             const std::atomic<bool>& cancelled);
    Transfer(const Transfer&) = delete;
    Transfer& operator=(const Transfer&) = delete;

    /// Does it. Once. Errors: http (with the status in the message), network, checksum_mismatch (more or fewer bytes
    /// than expected), cancelled.
    boost::asio::awaitable<Result<Download>> run();

    /// Which mirrors in which order; before run().
    void reorder(const std::vector<std::size_t>& order);
    /// Whether another connection could fetch a part of what is left.
    [[nodiscard]] bool can_split() const;
    /// Fetches parts over another connection until nobody needs it; while run() is under way and can_split().
    boost::asio::awaitable<void> assist();

    [[nodiscard]] const TransferRequest& request() const { return request_; }
    [[nodiscard]] std::uint64_t received() const { return segments_ ? segments_->received() : body_.size(); }
    [[nodiscard]] bool has_begun() const { return body_open_; } ///< the first byte was there
    [[nodiscard]] int connections() const { return 1 + assistants_; }
    /// A server did not want as many connections.
    [[nodiscard]] bool was_turned_away() const { return turned_away_; }

private:
    enum class PieceEnd { complete, refused, failed };
    /// How a piece's request ended, and what a retry depends on.
    struct PieceOutcome {
        PieceEnd end = PieceEnd::complete;
        AttemptOutcome attempt;
        std::optional<Error> error;
    };

    boost::asio::awaitable<Result<Download>> run_attempts();
    boost::asio::awaitable<ExchangeResult> stream();
    Result<void> open_body(const ResponseHead& head);
    Result<void> take_stream(const ResponseHead& head, std::string_view bytes, bool first);
    Result<void> append_to_segments(std::string_view bytes);
    Result<void> report(bool first);
    [[nodiscard]] std::vector<std::string> stream_headers();

    boost::asio::awaitable<Result<void>> finish_pieces(std::optional<AttemptOutcome> failed);
    boost::asio::awaitable<PieceOutcome> fetch_piece(Segments::Piece piece, bool own_connection);
    Result<void> take_piece(const Segments::Piece& piece, const ResponseHead& head, std::string_view bytes, bool first);
    [[nodiscard]] double connection_rate() const; ///< so far, of one of them
    [[nodiscard]] std::uint64_t next_size() const;
    [[nodiscard]] std::optional<Segments::Piece> next_piece();
    boost::asio::awaitable<void> wait_for_change();
    boost::asio::awaitable<void> stop_pieces();
    void changed();

    [[nodiscard]] Result<Download> conclude(ExchangeResult& result);
    [[nodiscard]] Error error_of(const ExchangeResult& result) const;
    boost::asio::awaitable<void> pause(std::chrono::milliseconds time) const;
    [[nodiscard]] const TransferSource& source() const { return request_.urls[source_ % request_.urls.size()]; }

    CurlLoop& loop_;
    const TransferSettings& settings_;
    TransferRequest request_;
    MemoryBudget& budget_;
    const std::atomic<bool>& cancelled_;

    std::size_t source_ = 0; ///< counts up over the mirrors
    Body body_;
    bool body_open_ = false;
    bool resumed_ = false; ///< some part came in a later answer
    bool parts_tried_ = false;
    bool part_refused_ = false; ///< the server sent another part than was asked for
    std::uint64_t resumed_at_ = 0;
    std::uint64_t reported_ = 0, reported_prefix_ = 0;
    ResponseHead head_; ///< of the answer whose bytes are in the body

    std::optional<Segments> segments_; ///< since another connection helps
    int assistants_ = 0;
    int generation_ = 0;      ///< pieces of an earlier one are given up
    bool stream_cut_ = false; ///< the stream reached what others fetch
    bool split_refused_ = false, turned_away_ = false;
    std::unique_ptr<boost::asio::steady_timer> change_; ///< cancelled when something happens to the pieces
    std::chrono::steady_clock::time_point began_;
};

/// The HTTP status inside an error made by a transfer, 0 if it has none.
[[nodiscard]] long http_status_of(const Error& error);

} // namespace taipan
