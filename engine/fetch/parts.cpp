// A file that everything else waits for, of a size that nobody knows before: each of a few connections asks for a part
// of it at once, as large as what a server sends in the first round trip, then for twice as much, as TCP's window
// grows.
//
// What must hold:
// * bytes are glued together only when each answer is exactly the part that was asked for, of a file of one size, and
//   has the same validator; an answer without one is only taken if it is everything;
// * what the first part is refused with is the answer to the whole request (404: there is no such file);
// * a server that knows no parts sends the whole file, which is taken then, and the others are given up;
// * a server of one connection at a time answers the others late or never: then the whole file is asked for, and nobody
//   is waited for who is not needed any more. Such requests are left alone, not ended, since a connection whose answer
//   was waited for can be used again.

#include "fetch/parts.hpp"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <memory>
#include <utility>

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace taipan {

namespace asio = boost::asio;

namespace {

using Clock = std::chrono::steady_clock;

/// With this many one index of a large channel needs two to three round trips less; browsers open as many.
constexpr std::size_t connections = 6;
/// Fits with its head in the ten segments that a server may send first.
constexpr std::uint64_t first_size = 13'000;

/// So long nothing may arrive, once something has, or as long as that has taken twice.
constexpr std::chrono::milliseconds least_patience{200};

constexpr long whole_file = 200, part_of_file = 206;

/// What the connections share; lives as long as the last of them is under way.
struct Parts {
    Parts(CurlLoop& curl_loop, const TransferSettings& transfer_settings, const ExchangeRequest& whole,
          std::uint64_t limit, const asio::any_io_executor& executor)
        : loop(curl_loop),
          settings(transfer_settings),
          request(whole),
          source(*whole.source),
          size_limit(limit),
          changed(executor, asio::steady_timer::time_point::max()) {}

    /// Something has arrived.
    void arrived() {
        const auto now = Clock::now();
        if (std::exchange(last_arrival, now) != Clock::time_point::max()) return;
        patience = std::max<Clock::duration>(least_patience, 2 * (now - began));
        changed.cancel();
    }
    [[nodiscard]] bool has_stalled() const {
        return last_arrival != Clock::time_point::max() && Clock::now() >= last_arrival + patience;
    }
    [[nodiscard]] bool ended() const { return over || unusable || result || plan.complete() || working == 0; }

    CurlLoop& loop;
    const TransferSettings& settings;
    const ExchangeRequest& request; ///< until it is over
    const TransferSource source;
    const std::uint64_t size_limit;
    asio::steady_timer changed; ///< cancelled when something has happened
    const Clock::time_point began = Clock::now();
    Clock::time_point last_arrival = Clock::time_point::max(); ///< max: nothing has arrived
    Clock::duration patience{};

    PartsPlan plan{connections};
    std::string bytes;
    std::optional<ResponseHead> head;     ///< of the first part that began to arrive
    std::optional<ExchangeResult> result; ///< of the first part, where that is all there is to say
    std::size_t working = connections;
    bool unusable = false; ///< parts of different files
    bool over = false;     ///< nobody looks at it any more
};

/// Whether this answer goes together with the others.
bool fits(Parts& parts, const ResponseHead& head, const PartsPlan::Part& part) {
    const auto total = total_of_part(head.content_range, part);
    if (!total || *total > parts.size_limit || head.encoded || !parts.plan.set_total(*total)) return false;
    if (!parts.head) parts.head = head;
    const bool everything = part.begin == 0 && part.end >= *total;
    return everything || (!head.validator().empty() && head.validator() == parts.head->validator());
}

Result<void> take(Parts& parts, const PartsPlan::Part& part, std::uint64_t& done, const ResponseHead& head,
                  std::string_view bytes, bool first) {
    const auto refuse = [](const char* why) { return make_error(ErrorCode::cancelled, why); };
    if (parts.over) return refuse("the file is there");
    if (head.status == whole_file) {
        if (part.begin != 0) return refuse("the server knows no parts");
        return parts.request.take(head, bytes, first);
    }
    if (first && !fits(parts, head, part)) {
        parts.unusable = true;
        return refuse("the server sent another part than was asked for");
    }
    const std::uint64_t end = std::min(part.end, *parts.plan.total()), begin = part.begin + done;
    if (bytes.size() > end - std::min(end, begin)) return refuse("the server sent more than was asked for");
    parts.bytes.resize(*parts.plan.total());
    std::copy(bytes.begin(), bytes.end(), parts.bytes.begin() + static_cast<std::ptrdiff_t>(begin));
    done += bytes.size();
    parts.arrived();
    parts.plan.arrived(bytes.size());
    return {};
}

/// Fetches one part; whether the connection is good for another one.
asio::awaitable<bool> fetch(std::shared_ptr<Parts> parts, PartsPlan::Part part, bool own_connection) {
    ExchangeRequest request;
    request.source = &parts->source;
    request.headers = parts->request.headers;
    request.headers.push_back("Range: bytes=" + std::to_string(part.begin) + '-' + std::to_string(part.end - 1));
    request.own_connection = own_connection;
    request.fans_out = true;
    std::uint64_t done = 0;
    request.take = [&](const ResponseHead& head, std::string_view bytes, bool first) {
        return take(*parts, part, done, head, bytes, first);
    };
    request.abandoned = [&] { return !parts->over && parts->request.abandoned(); };
    if (own_connection) parts->loop.add_shared_connections(1);
    auto result = co_await exchange(parts->loop, parts->settings, std::move(request));
    if (own_connection && !result.head.shares_connection) parts->loop.add_shared_connections(-1);
    if (parts->over) co_return false;
    const bool answered = result.head.status == part_of_file;
    if (answered && part.begin + done == std::min(part.end, *parts->plan.total())) co_return true;
    if (part.begin == 0 && done == 0)
        parts->result = std::move(result);
    else
        parts->plan.give_back({part.begin + done, part.end});
    co_return false;
}

asio::awaitable<void> work(std::shared_ptr<Parts> parts, PartsPlan::Part part) {
    std::uint64_t size = part.size();
    for (std::optional<PartsPlan::Part> next = part; next && !parts->ended(); next = parts->plan.take(size *= 2)) {
        const bool go_on = co_await fetch(parts, *next, next->begin == part.begin);
        parts->changed.cancel();
        if (!go_on) break;
    }
    --parts->working;
    parts->changed.cancel();
}

/// What all of them amount to.
std::optional<ExchangeResult> conclude(Parts& parts) {
    if (parts.result && !parts.unusable) return std::move(*parts.result);
    if (!parts.plan.complete() || parts.unusable) return std::nullopt;
    ExchangeResult result;
    result.head = std::move(*parts.head);
    result.head.status = whole_file;
    result.head.content_range.clear();
    result.head.length = parts.bytes.size();
    if (auto taken = parts.request.take(result.head, parts.bytes, true); !taken)
        result.error = std::move(taken).error();
    return result;
}

} // namespace

std::optional<PartsPlan::Part> PartsPlan::take(std::uint64_t size) {
    if (!returned_.empty()) {
        const Part part = returned_.back();
        returned_.pop_back();
        if (!total_ || part.end <= *total_) return part;
        if (part.begin < *total_) return Part{part.begin, *total_};
        return take(size);
    }
    if (total_) {
        if (next_ >= *total_) return std::nullopt;
        // What is left arrives soonest when all have as much of it.
        const std::uint64_t left = *total_ - next_;
        size = std::min(size, std::max<std::uint64_t>(left / sharers_ + 1, first_size / 2));
        size = std::min(size, left);
    }
    const Part part{next_, next_ + size};
    next_ = part.end;
    return part;
}

bool PartsPlan::set_total(std::uint64_t total) {
    if (total_ && *total_ != total) return false;
    total_ = total;
    return true;
}

std::optional<std::uint64_t> total_of_part(std::string_view content_range, const PartsPlan::Part& part) {
    const std::size_t slash = content_range.rfind('/');
    if (slash == std::string_view::npos) return std::nullopt;
    const std::string_view digits = content_range.substr(slash + 1);
    std::uint64_t total = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), total);
    if (error != std::errc() || end != digits.data() + digits.size() || total <= part.begin) return std::nullopt;
    const std::string expected =
        "bytes " + std::to_string(part.begin) + '-' + std::to_string(std::min(part.end, total) - 1);
    return content_range.substr(0, slash) == expected ? std::optional(total) : std::nullopt;
}

asio::awaitable<std::optional<ExchangeResult>> exchange_in_parts(CurlLoop& loop, const TransferSettings& settings,
                                                                 const ExchangeRequest& request,
                                                                 std::uint64_t size_limit) {
    const auto executor = co_await asio::this_coro::executor;
    const auto parts = std::make_shared<Parts>(loop, settings, request, size_limit, executor);
    // The first part before the others: a server of one connection at a time answers in this order.
    for (std::size_t i = 0; i < connections; ++i) settings.spawn(work(parts, *parts->plan.take(first_size)));
    boost::system::error_code ignored; // why the wait has ended is seen by looking
    while (!parts->ended() && !parts->has_stalled()) {
        if (parts->last_arrival != Clock::time_point::max())
            parts->changed.expires_at(parts->last_arrival + parts->patience);
        co_await parts->changed.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
    }
    auto result = conclude(*parts);
    parts->over = true;
    co_return result;
}

} // namespace taipan
