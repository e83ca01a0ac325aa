// One download from the first byte to the last, whatever the network does in between.
//
// An attempt is one exchange. It ends well, or with an answer that will not get better (404), or with something worth
// another try: a busy server, a lost connection. Another try goes to the next mirror if there is one, waits as long as
// retry.cpp says, and asks only for the missing bytes (Range with If-Range) when the server gave the first part a
// validator. The size is checked here, the hash by whoever reads the bytes. What happens when several connections work
// on one download is in transfer_pieces.cpp.

#include "fetch/transfer.hpp"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <ctime>
#include <random>
#include <utility>

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "base/json_writer.hpp"
#include "fetch/parts.hpp"

#if defined(__GNUC__) && !defined(__clang__) && __GNUC__ < 13
#pragma GCC diagnostic ignored "-Wmismatched-new-delete" // a false alarm at the frames of coroutines
#endif

namespace taipan {

namespace asio = boost::asio;

namespace {

constexpr std::uint64_t progress_step = std::uint64_t{256} << 10U;
constexpr std::string_view status_mark = "HTTP ";

/// What failed, for programs. `reason` is left out when it is empty.
std::string facts_of(const std::string& url, const std::string& status, const std::string& reason) {
    JsonWriter json;
    json.begin_object().member("url", url).member("status_code", status);
    if (!reason.empty()) json.member("reason", reason);
    return json.end_object().take();
}

std::string_view status_hint(long status) {
    switch (status) {
    case 401:
    case 403: return "; check the token or password of this channel";
    case 404: return "; check the channel's name and that the server has this file";
    case 407: return "; check the user and password of the proxy";
    case 429: return "; the server asks for fewer requests, try again later";
    default: return status >= 500 ? "; the server has a problem, try again later" : "";
    }
}

std::string_view connection_hint(CURLcode code) {
    switch (code) {
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_ISSUER_ERROR: return "; SSL_CERT_FILE or --cacert-path names a file of the certificates to trust";
    default: return "; check the network, proxy and channel URL";
    }
}

double jitter() {
    static std::minstd_rand generator(std::random_device{}());
    return std::uniform_real_distribution<double>(0, 1)(generator);
}

} // namespace

Transfer::Transfer(CurlLoop& loop, const TransferSettings& settings, TransferRequest request, MemoryBudget& budget,
                   const std::atomic<bool>& cancelled)
    : loop_(loop), settings_(settings), request_(std::move(request)), budget_(budget), cancelled_(cancelled) {}

/// Before the first byte of an answer: opens the body, or continues it when the server sends the rest.
Result<void> Transfer::open_body(const ResponseHead& head) {
    if (head.status == 206 && resumed_at_ > 0) {
        const std::string expected = "bytes " + std::to_string(resumed_at_) + "-";
        if (head.content_range.starts_with(expected)) {
            resumed_ = true;
            return {};
        }
        part_refused_ = true;
        return make_error(ErrorCode::network, "the server answered a request for a part with another part");
    }
    head_ = head;
    resumed_at_ = 0;
    resumed_ = false;
    reported_ = reported_prefix_ = 0;
    began_ = std::chrono::steady_clock::now();
    if (body_open_) {
        TAIPAN_CHECK(body_.restart());
    } else {
        const std::uint64_t size = request_.expected_size > 0 ? request_.expected_size : head.length;
        TAIPAN_TRY(body_, Body::open(budget_, request_.spool_directory, std::min(size, request_.size_limit)));
        if (request_.consumed) body_.let_be_consumed();
        body_open_ = true;
    }
    if (request_.opened) request_.opened(body_);
    return {};
}

Result<void> Transfer::take_stream(const ResponseHead& head, std::string_view bytes, bool first) {
    if (first) TAIPAN_CHECK(open_body(head));
    const std::uint64_t size = body_.size() + bytes.size();
    if (request_.expected_size > 0 && size > request_.expected_size) {
        return make_error(ErrorCode::checksum_mismatch, "the server sends more than the " +
                                                            std::to_string(request_.expected_size) +
                                                            " bytes that the index names for " + request_.shown_url);
    }
    if (size > request_.size_limit) {
        return make_error(ErrorCode::network, request_.shown_url + " is larger than the " +
                                                  std::to_string(request_.size_limit) + " bytes accepted");
    }
    if (segments_)
        TAIPAN_CHECK(append_to_segments(bytes));
    else
        TAIPAN_CHECK(body_.append(bytes));
    return report(first);
}

Result<void> Transfer::report(bool first) {
    const std::uint64_t all = received();
    if (first || all - reported_ >= progress_step) {
        reported_ = all;
        if (request_.progress) request_.progress(all);
    }
    const std::uint64_t prefix = segments_ ? segments_->prefix() : all;
    if (prefix - reported_prefix_ >= progress_step) {
        reported_prefix_ = prefix;
        if (!request_.arrived) return {};
        TAIPAN_CHECK(body_.flush());
        request_.arrived(prefix);
    }
    return {};
}

std::vector<std::string> Transfer::stream_headers() {
    std::vector<std::string> headers = request_.headers;
    resumed_at_ = 0;
    if (body_open_ && body_.size() > 0 && !head_.validator().empty() && !head_.encoded) {
        resumed_at_ = body_.size();
        headers.push_back("Range: bytes=" + std::to_string(resumed_at_) + "-");
        headers.push_back("If-Range: " + head_.validator());
    }
    return headers;
}

/// Asks for everything, or for what is missing at the end.
asio::awaitable<ExchangeResult> Transfer::stream() {
    ExchangeRequest request;
    request.source = &source();
    request.headers = stream_headers();
    request.fans_out = request_.fans_out;
    request.accepts_gzip = request_.accepts_gzip;
    request.take = [this](const ResponseHead& head, std::string_view bytes, bool first) {
        return take_stream(head, bytes, first);
    };
    request.abandoned = [this] { return cancelled_.load(std::memory_order_relaxed); };
    if (request_.in_parts && settings_.spawn && !std::exchange(parts_tried_, true) &&
        !is_tunnelled(settings_, source().url)) {
        auto result = co_await exchange_in_parts(loop_, settings_, request, request_.size_limit);
        if (result) co_return std::move(*result);
    }
    co_return co_await exchange(loop_, settings_, std::move(request));
}

Error Transfer::error_of(const ExchangeResult& result) const {
    if (result.error) return *result.error;
    const std::string& url = request_.shown_url;
    if (cancelled_.load()) return make_error(ErrorCode::cancelled, "stopped while downloading " + url);
    const long status = result.head.status;
    if (result.code == CURLE_OK) {
        Error error = make_error(ErrorCode::http, std::string(status_mark) + std::to_string(status) + " for url <" +
                                                      url + ">" + std::string(status_hint(status)));
        error.details = facts_of(url, std::to_string(status), {});
        return error;
    }
    std::string reason = curl().easy_strerror(result.code);
    if (!result.detail.empty()) reason += " (" + result.detail + ")";
    if (result.code == CURLE_OPERATION_TIMEDOUT) reason = "no progress for too long (" + result.detail + ")";
    // conda's words and its number for no answer at all, which programs look for.
    Error error = make_error(ErrorCode::network, "HTTP 000 CONNECTION FAILED for url <" + url + ">: " + reason +
                                                     std::string(connection_hint(result.code)));
    error.details = facts_of(url, "000", "CONNECTION FAILED");
    return error;
}

/// A complete answer, or the error that the attempt amounts to.
Result<Download> Transfer::conclude(ExchangeResult& result) {
    const long status = result.head.status;
    const bool answered = result.code == CURLE_OK && (status == 200 || status == 206 || status == 304);
    if (!answered || result.error) return error_of(result);
    if (status != 304) {
        if (!body_open_) TAIPAN_CHECK(open_body(result.head)); // an empty file
        if (request_.expected_size > 0 && body_.size() != request_.expected_size) {
            return make_error(ErrorCode::checksum_mismatch, "the server sent " + std::to_string(body_.size()) +
                                                                " bytes instead of the " +
                                                                std::to_string(request_.expected_size) +
                                                                " that the index names for " + request_.shown_url);
        }
        TAIPAN_CHECK(body_.flush());
        if (request_.progress) request_.progress(body_.size());
    } else {
        head_ = result.head;
    }
    Download download;
    download.status = status == 206 ? 200 : status;
    download.body = std::move(body_);
    download.resumed = resumed_;
    download.source = source_ % request_.urls.size();
    download.etag = std::move(head_.etag);
    download.last_modified = std::move(head_.last_modified);
    download.cache_control = std::move(head_.cache_control);
    return download;
}

asio::awaitable<void> Transfer::pause(std::chrono::milliseconds time) const {
    asio::steady_timer timer(co_await asio::this_coro::executor);
    const auto end = std::chrono::steady_clock::now() + time;
    boost::system::error_code ignored;
    while (!cancelled_.load() && std::chrono::steady_clock::now() < end) {
        timer.expires_at(std::min(end, std::chrono::steady_clock::now() + std::chrono::milliseconds(100)));
        co_await timer.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
    }
}

void Transfer::reorder(const std::vector<std::size_t>& order) {
    std::vector<TransferSource> urls;
    for (const std::size_t i : order) urls.push_back(std::move(request_.urls[i]));
    request_.urls = std::move(urls);
}

asio::awaitable<Result<Download>> Transfer::run_attempts() {
    for (AttemptOutcome outcome;; ++outcome.attempt) {
        auto result = co_await stream();
        outcome.status = result.head.status;
        outcome.connection_failed = part_refused_ || result.connection_failed();
        outcome.retry_after = parse_retry_after(result.head.retry_after, std::time(nullptr));
        if (segments_ && !segments_->complete()) {
            // Others are at it too: what this connection did not bring is fetched in pieces like theirs.
            segments_->give_back(Segments::stream);
            std::optional<AttemptOutcome> failed;
            if (!std::exchange(stream_cut_, false)) {
                if (!outcome.connection_failed) co_return error_of(result);
                failed = outcome;
            }
            auto finished = co_await finish_pieces(failed);
            if (!finished) co_return std::move(finished).error();
            if (!segments_) continue; // the file changed: everything from the start
            result = {};
            result.head.status = 200;
        }
        if (segments_ && segments_->complete()) {
            co_await stop_pieces();
            body_.set_size(request_.expected_size);
            result = {};
            result.head.status = 200;
        }
        auto download = conclude(result);
        if (download) co_return std::move(download);

        if (std::exchange(part_refused_, false)) head_ = {}; // from the start, then
        if (cancelled_.load()) co_return std::move(download).error();
        ++source_;
        if (source_ < request_.urls.size()) { // a mirror that was not asked yet is asked at once
            head_ = {};                       // a validator means something to its own server only
            --outcome.attempt;
            continue;
        }
        const auto delay = retry_delay(outcome, settings_.retry, jitter());
        if (!delay) co_return std::move(download).error();
        if (request_.urls.size() > 1) head_ = {};
        co_await pause(*delay);
    }
}

long http_status_of(const Error& error) {
    long status = 0;
    if (error.code == ErrorCode::http && error.message.starts_with(status_mark)) {
        std::from_chars(error.message.data() + status_mark.size(), error.message.data() + error.message.size(), status);
    }
    return status;
}

} // namespace taipan
