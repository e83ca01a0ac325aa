// Several connections at one download. The first one asked for everything and goes on as long as what it sends is
// needed; the others, and the first one afterwards, ask for pieces (Range) and write them where they belong. Pieces are
// handed out from the front, so that the beginning is complete early and can be extracted meanwhile.
//
// What must hold:
// * bytes are only taken from an answer 206 that is exactly the part that was asked for, of a file of the expected
// size,
//   and, where the server gave a validator, of the same file (If-Range);
// * whatever a connection could not bring goes back and is fetched by another one; when none is left, the first one
// does;
// * when the file changed, all pieces are given up and everything starts from the beginning, over one connection;
// * glued together is only trusted with a digest: `resumed` tells the reader that a wrong one is worth another
// download.

#include <algorithm>
#include <charconv>
#include <ctime>

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "fetch/transfer.hpp"

namespace taipan {

namespace asio = boost::asio;

namespace {

/// `bytes 100-199/1000` is exactly the piece, and the file has the size.
bool is_the_part(std::string_view content_range, const Segments::Piece& piece, std::uint64_t total) {
    const std::string part = "bytes " + std::to_string(piece.begin) + '-' + std::to_string(piece.end - 1) + '/';
    if (!content_range.starts_with(part)) return false;
    content_range.remove_prefix(part.size());
    return content_range == "*" || content_range == std::to_string(total);
}

} // namespace

asio::awaitable<Result<Download>> Transfer::run() {
    auto download = co_await run_attempts();
    co_await stop_pieces(); // whoever asked may be gone afterwards
    co_return download;
}

bool Transfer::can_split() const {
    if (split_refused_ || !body_open_ || request_.expected_size == 0 || !body_.in_file()) return false;
    if (!request_.digest_known || head_.ranges_refused) return false;
    return received() < request_.expected_size;
}

double Transfer::connection_rate() const {
    const std::chrono::duration<double> age = std::chrono::steady_clock::now() - began_;
    return static_cast<double>(received()) / std::max(age.count(), 0.1) / connections();
}

/// Something that nobody fetches, else a part of what another connection will not get to soon.
std::optional<Segments::Piece> Transfer::next_piece() {
    if (auto piece = segments_->take(next_size())) return piece;
    return segments_->take_from_others(smallest_piece_at(connection_rate()));
}

std::uint64_t Transfer::next_size() const {
    const std::uint64_t untaken = segments_ ? segments_->untaken() : request_.expected_size - body_.size();
    return piece_size(untaken, connections(), connection_rate());
}

/// What the stream sends, as long as nobody else fetches that place.
Result<void> Transfer::append_to_segments(std::string_view bytes) {
    while (!bytes.empty()) {
        std::uint64_t room = segments_->left(Segments::stream);
        if (room == 0 && segments_->extend(Segments::stream, next_size())) room = segments_->left(Segments::stream);
        if (room == 0) {
            stream_cut_ = true;
            return make_error(ErrorCode::internal, "the rest is fetched by other connections");
        }
        const std::string_view now =
            bytes.substr(0, static_cast<std::size_t>(std::min<std::uint64_t>(room, bytes.size())));
        TAIPAN_CHECK(body_.append(now));
        segments_->advance(Segments::stream, now.size());
        bytes.remove_prefix(now.size());
    }
    return {};
}

Result<void> Transfer::take_piece(const Segments::Piece& piece, const ResponseHead& head, std::string_view bytes,
                                  bool first) {
    if (first && !(head.status == 206 && is_the_part(head.content_range, piece, request_.expected_size))) {
        part_refused_ = true;
        return make_error(ErrorCode::network, "the server answered a request for a part with something else");
    }
    const std::uint64_t left = segments_->left(piece.id);
    const std::string_view wanted =
        bytes.substr(0, static_cast<std::size_t>(std::min<std::uint64_t>(left, bytes.size())));
    TAIPAN_CHECK(body_.write_at(segments_->position(piece.id), wanted));
    segments_->advance(piece.id, wanted.size());
    TAIPAN_CHECK(report(false));
    if (wanted.size() < bytes.size() || (left == wanted.size() && segments_->position(piece.id) < piece.end)) {
        return make_error(ErrorCode::internal, "the rest is fetched by another connection");
    }
    return {};
}

asio::awaitable<Transfer::PieceOutcome> Transfer::fetch_piece(Segments::Piece piece, bool own_connection) {
    ExchangeRequest request;
    request.source = &source();
    request.headers = request_.headers;
    request.headers.push_back("Range: bytes=" + std::to_string(piece.begin) + '-' + std::to_string(piece.end - 1));
    if (!head_.validator().empty()) request.headers.push_back("If-Range: " + head_.validator());
    request.own_connection = own_connection;
    const int generation = generation_;
    bool refused = false;
    request.take = [this, &piece, &refused, generation](const ResponseHead& head, std::string_view bytes,
                                                        bool first) -> Result<void> {
        if (generation != generation_) return make_error(ErrorCode::cancelled, "not needed any more");
        auto taken = take_piece(piece, head, bytes, first);
        refused = std::exchange(part_refused_, false) || refused;
        return taken;
    };
    request.abandoned = [this, generation] {
        return cancelled_.load(std::memory_order_relaxed) || generation != generation_;
    };
    auto result = co_await exchange(loop_, settings_, std::move(request));
    PieceOutcome outcome;
    if (generation != generation_) {
        outcome.end = PieceEnd::refused;
        co_return outcome;
    }
    const bool complete = segments_->left(piece.id) == 0;
    segments_->give_back(piece.id);
    if (complete) co_return outcome;
    const long status = result.head.status;
    outcome.attempt.status = status;
    outcome.attempt.connection_failed = result.connection_failed() || (result.answered(206) && !refused);
    outcome.attempt.retry_after = parse_retry_after(result.head.retry_after, std::time(nullptr));
    outcome.error = error_of(result);
    outcome.end = refused || status == 200 || status == 416 ? PieceEnd::refused : PieceEnd::failed;
    co_return outcome;
}

asio::awaitable<void> Transfer::assist() {
    ++assistants_;
    if (!segments_) {
        segments_.emplace(request_.expected_size, body_.size());
        segments_->cut_stream(next_size());
    }
    resumed_ = true;
    const int generation = generation_;
    for (bool first = true; generation == generation_ && !split_refused_ && !cancelled_.load(); first = false) {
        const auto piece = next_piece();
        if (!piece) break;
        // One that carries many exchanges is no faster for one more; else one that is idle has its speed already.
        const auto outcome = co_await fetch_piece(*piece, first && head_.shares_connection);
        if (outcome.end == PieceEnd::complete) continue;
        // One connection less is no harm; a server that does not like parts, or so many requests, is left alone.
        if (generation == generation_ && (outcome.end == PieceEnd::refused || outcome.attempt.status >= 400)) {
            split_refused_ = true;
            turned_away_ = turned_away_ || outcome.attempt.status == 429 || outcome.attempt.status == 503;
        }
        break;
    }
    --assistants_;
    changed();
}

void Transfer::changed() {
    if (change_) change_->cancel();
}

asio::awaitable<void> Transfer::wait_for_change() {
    if (!change_) {
        change_ = std::make_unique<asio::steady_timer>(co_await asio::this_coro::executor,
                                                       asio::steady_timer::time_point::max());
    }
    boost::system::error_code ignored; // the wait always ends by cancellation
    co_await change_->async_wait(asio::redirect_error(asio::use_awaitable, ignored));
}

/// Nobody writes into the body any more afterwards.
asio::awaitable<void> Transfer::stop_pieces() {
    ++generation_;
    while (assistants_ > 0) co_await wait_for_change();
}

/// Fetches pieces until all are there. `failed`: how the connection that did it until now was lost. An error when a
/// piece cannot be had; no segments afterwards when everything has to start over.
asio::awaitable<Result<void>> Transfer::finish_pieces(std::optional<AttemptOutcome> failed) {
    AttemptOutcome attempt = failed.value_or(AttemptOutcome{});
    std::optional<Error> error;
    if (failed)
        error = make_error(ErrorCode::network, "the connection was lost while downloading " + request_.shown_url);
    while (!segments_->complete()) {
        if (cancelled_.load()) {
            co_await stop_pieces();
            co_return make_error(ErrorCode::cancelled, "stopped while downloading " + request_.shown_url);
        }
        if (error) {
            const auto delay = retry_delay(attempt, settings_.retry, 0.5);
            if (!delay) {
                co_await stop_pieces();
                co_return std::move(*error);
            }
            ++attempt.attempt;
            error.reset();
            co_await pause(*delay);
        }
        const auto piece = next_piece();
        if (!piece) {
            if (segments_->complete()) break;
            co_await wait_for_change();
            continue;
        }
        auto outcome = co_await fetch_piece(*piece, false);
        if (outcome.end == PieceEnd::refused) {
            split_refused_ = true;
            co_await stop_pieces();
            segments_.reset();
            resumed_ = false;
            head_ = {};
            co_return Result<void>();
        }
        if (outcome.end == PieceEnd::complete) {
            attempt.attempt = 1;
            continue;
        }
        outcome.attempt.attempt = attempt.attempt;
        attempt = outcome.attempt;
        error = std::move(outcome.error);
        if (request_.urls.size() > 1) { // the digest vouches for what another mirror has
            ++source_;
            head_ = {};
        }
    }
    co_return Result<void>();
}

} // namespace taipan
