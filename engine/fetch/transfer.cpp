// One download from the first byte to the last, whatever the network does in between.
//
// An attempt is one libcurl transfer. It ends well, or with an answer that will not get better (404), or with
// something worth another try: a busy server, a lost connection. Another try goes to the next mirror if there is one,
// waits as long as retry.cpp says, and asks only for the missing bytes (Range with If-Range) when the server gave the
// first part a validator. The size is checked here, the hash by whoever reads the bytes.

#include "fetch/transfer.hpp"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstring>
#include <ctime>
#include <random>
#include <utility>

#include <strings.h>

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "model/channel.hpp"

namespace taipan {

namespace asio = boost::asio;

namespace {

constexpr std::uint64_t progress_step = std::uint64_t{256} << 10U;
constexpr std::string_view status_mark = "HTTP ";

/// What libcurl's callbacks fill during one attempt. The body lives on from attempt to attempt.
struct Attempt {
    const TransferRequest* request = nullptr;
    MemoryBudget* budget = nullptr;
    const std::atomic<bool>* cancelled = nullptr;
    CURL* easy = nullptr;
    Body body;
    bool body_open = false;
    bool resumed = false;      ///< some part came in a later answer
    bool part_refused = false; ///< the server sent another part than was asked for
    long status = 0;
    std::uint64_t announced = 0;  ///< Content-Length
    std::uint64_t resumed_at = 0; ///< first byte asked for
    std::string etag, last_modified, cache_control, retry_after, content_range;
    std::optional<Error> error; ///< the first one of a callback
    std::uint64_t reported = 0;

    void start() {
        status = 0;
        announced = 0;
        retry_after.clear();
        content_range.clear();
        error.reset();
    }
};

std::string_view trim(std::string_view text) {
    while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
    while (!text.empty() && (text.back() == '\r' || text.back() == '\n' || text.back() == ' ')) text.remove_suffix(1);
    return text;
}

bool header_is(std::string_view line, std::string_view name) {
    return line.size() > name.size() && line[name.size()] == ':' &&
           ::strncasecmp(line.data(), name.data(), name.size()) == 0;
}

/// Status line: a new response begins (after a redirect, or 100 Continue). Header lines: keep what we use.
void take_header(Attempt& attempt, std::string_view line) {
    if (line.starts_with("HTTP/")) {
        attempt.start();
        const std::size_t blank = line.find(' ');
        if (blank != std::string_view::npos) {
            std::from_chars(line.data() + blank + 1, line.data() + line.size(), attempt.status);
        }
        return;
    }
    const auto value = [&] { return std::string(trim(line.substr(line.find(':') + 1))); };
    if (header_is(line, "etag"))
        attempt.etag = value();
    else if (header_is(line, "last-modified"))
        attempt.last_modified = value();
    else if (header_is(line, "cache-control"))
        attempt.cache_control = value();
    else if (header_is(line, "retry-after"))
        attempt.retry_after = value();
    else if (header_is(line, "content-range"))
        attempt.content_range = value();
    else if (header_is(line, "content-length")) {
        const std::string length = value();
        std::from_chars(length.data(), length.data() + length.size(), attempt.announced);
    }
}

std::size_t on_header(char* data, std::size_t, std::size_t size, void* user) noexcept {
    try {
        take_header(*static_cast<Attempt*>(user), {data, size});
        return size;
    } catch (...) {
        return 0;
    }
}

/// Before the first byte of an answer: opens the body, or continues it when the server sends the rest.
Result<void> open_body(Attempt& attempt) {
    if (attempt.status == 206 && attempt.resumed_at > 0) {
        const std::string expected = "bytes " + std::to_string(attempt.resumed_at) + "-";
        if (attempt.content_range.starts_with(expected)) {
            attempt.resumed = true;
            return {};
        }
        attempt.part_refused = true;
        return make_error(ErrorCode::network, "the server answered a request for a part with another part");
    }
    attempt.resumed_at = 0;
    attempt.resumed = false;
    attempt.reported = 0;
    if (attempt.body_open) {
        TAIPAN_CHECK(attempt.body.restart());
        if (attempt.request->opened) attempt.request->opened(attempt.body);
        return {};
    }
    const std::uint64_t size = attempt.request->expected_size > 0 ? attempt.request->expected_size : attempt.announced;
    TAIPAN_TRY(attempt.body, Body::open(*attempt.budget, attempt.request->spool_directory,
                                        std::min(size, attempt.request->size_limit)));
    attempt.body_open = true;
    if (attempt.request->opened) attempt.request->opened(attempt.body);
    return {};
}

Result<void> take_bytes(Attempt& attempt, std::string_view bytes, bool first) {
    if (attempt.status != 200 && attempt.status != 206) return {}; // an error page is nobody's package
    if (first) TAIPAN_CHECK(open_body(attempt));
    const TransferRequest& request = *attempt.request;
    const std::uint64_t size = attempt.body.size() + bytes.size();
    if (request.expected_size > 0 && size > request.expected_size) {
        return make_error(ErrorCode::checksum_mismatch, "the server sends more than the " +
                                                            std::to_string(request.expected_size) +
                                                            " bytes that the index names for " + request.shown_url);
    }
    if (size > request.size_limit) {
        return make_error(ErrorCode::network, request.shown_url + " is larger than the " +
                                                  std::to_string(request.size_limit) + " bytes accepted");
    }
    TAIPAN_CHECK(attempt.body.append(bytes));
    if (attempt.body.size() - attempt.reported >= progress_step) {
        attempt.reported = attempt.body.size();
        if (request.progress) request.progress(attempt.reported);
        if (request.arrived) request.arrived(attempt.reported);
    }
    return {};
}

/// The write callback of one attempt needs to know which bytes are its first.
struct Writer {
    Attempt* attempt = nullptr;
    bool first = true;
};

std::size_t on_body(char* data, std::size_t, std::size_t size, void* user) noexcept {
    auto& writer = *static_cast<Writer*>(user);
    Attempt& attempt = *writer.attempt;
    try {
        if (auto taken = take_bytes(attempt, {data, size}, std::exchange(writer.first, false)); !taken) {
            if (!attempt.error) attempt.error = std::move(taken).error();
            return 0;
        }
        return size;
    } catch (const std::exception& failure) {
        if (!attempt.error) attempt.error = make_error(ErrorCode::internal, failure.what());
        return 0;
    }
}

int on_progress(void* user, curl_off_t, curl_off_t, curl_off_t, curl_off_t) noexcept {
    return static_cast<const std::atomic<bool>*>(user)->load(std::memory_order_relaxed) ? 1 : 0;
}

std::string proxy_for(const TransferSettings& settings, std::string_view url) {
    const std::size_t scheme_end = url.find("://");
    if (scheme_end == std::string_view::npos) return {};
    const std::string scheme(url.substr(0, scheme_end));
    const std::string bare = without_credentials(url);
    const std::size_t host_end = std::min(bare.find_first_of("/:", scheme_end + 3), bare.size());
    for (const auto& key : {bare.substr(0, host_end), scheme,
                            "all://" + bare.substr(scheme_end + 3, host_end - scheme_end - 3), std::string("all")}) {
        if (const auto found = settings.proxy_servers.find(key); found != settings.proxy_servers.end()) {
            return found->second;
        }
    }
    return {};
}

Result<void> set_up_tls(CURL* easy, const TransferSettings& settings) {
    if (settings.ssl_verify == "false") {
        TAIPAN_CURL(easy, CURLOPT_SSL_VERIFYPEER, 0L);
        TAIPAN_CURL(easy, CURLOPT_SSL_VERIFYHOST, 0L);
    } else if (settings.ssl_verify != "true" && !settings.ssl_verify.empty()) {
        const bool directory = is_directory(settings.ssl_verify);
        TAIPAN_CURL(easy, directory ? CURLOPT_CAPATH : CURLOPT_CAINFO, settings.ssl_verify.c_str());
    }
    if (!settings.client_ssl_cert.empty()) TAIPAN_CURL(easy, CURLOPT_SSLCERT, settings.client_ssl_cert.c_str());
    if (!settings.client_ssl_cert_key.empty()) TAIPAN_CURL(easy, CURLOPT_SSLKEY, settings.client_ssl_cert_key.c_str());
    return {};
}

Result<void> set_up_connection(CURL* easy, const TransferSettings& settings, const std::string& url) {
    TAIPAN_CURL(easy, CURLOPT_URL, url.c_str());
    TAIPAN_CURL(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    // An index fetched over TLS must not come from plain HTTP after all.
    TAIPAN_CURL(easy, CURLOPT_REDIR_PROTOCOLS_STR, url.starts_with("https") ? "https" : "http,https");
    TAIPAN_CURL(easy, CURLOPT_FOLLOWLOCATION, 1L);
    TAIPAN_CURL(easy, CURLOPT_MAXREDIRS, 10L);
    TAIPAN_CURL(easy, CURLOPT_NOSIGNAL, 1L);
    TAIPAN_CURL(easy, CURLOPT_USERAGENT, settings.user_agent.c_str());
    TAIPAN_CURL(easy, CURLOPT_NETRC, static_cast<long>(CURL_NETRC_OPTIONAL));
    TAIPAN_CURL(easy, CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(settings.connect_timeout_seconds * 1000));
    TAIPAN_CURL(easy, CURLOPT_LOW_SPEED_LIMIT, 1L);
    TAIPAN_CURL(easy, CURLOPT_LOW_SPEED_TIME, std::max(1L, static_cast<long>(settings.stall_timeout_seconds)));
    TAIPAN_CURL(easy, CURLOPT_BUFFERSIZE, 512L * 1024L);
    TAIPAN_CURL(easy, CURLOPT_PIPEWAIT, 0L);
    if (const std::string proxy = proxy_for(settings, url); !proxy.empty()) {
        TAIPAN_CURL(easy, CURLOPT_PROXY, proxy.c_str());
    }
    return set_up_tls(easy, settings);
}

Result<CurlList> set_up(CURL* easy, const TransferSettings& settings, const std::string& url, Attempt& attempt,
                        Writer& writer) {
    TAIPAN_CHECK(set_up_connection(easy, settings, url));
    TAIPAN_CURL(easy, CURLOPT_HEADERFUNCTION, &on_header);
    TAIPAN_CURL(easy, CURLOPT_HEADERDATA, &attempt);
    TAIPAN_CURL(easy, CURLOPT_WRITEFUNCTION, &on_body);
    TAIPAN_CURL(easy, CURLOPT_WRITEDATA, &writer);
    TAIPAN_CURL(easy, CURLOPT_NOPROGRESS, 0L);
    TAIPAN_CURL(easy, CURLOPT_XFERINFOFUNCTION, &on_progress);
    TAIPAN_CURL(easy, CURLOPT_XFERINFODATA, const_cast<std::atomic<bool>*>(attempt.cancelled)); // NOLINT: C API
    std::vector<std::string> headers = attempt.request->headers;
    const std::string validator =
        attempt.etag.starts_with("W/") || attempt.etag.empty() ? attempt.last_modified : attempt.etag;
    if (attempt.body_open && attempt.body.size() > 0 && !validator.empty()) {
        attempt.resumed_at = attempt.body.size();
        headers.push_back("Range: bytes=" + std::to_string(attempt.resumed_at) + "-");
        headers.push_back("If-Range: " + validator);
    } else {
        attempt.resumed_at = 0;
    }
    CurlList list;
    for (const auto& header : headers) {
        curl_slist* longer = curl().slist_append(list.get(), header.c_str());
        if (longer == nullptr) return curl_setup_error("a header", "out of memory");
        static_cast<void>(list.release());
        list.reset(longer);
    }
    TAIPAN_CURL(easy, CURLOPT_HTTPHEADER, list.get());
    return list;
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

Error error_of(const Attempt& attempt, CURLcode code, const std::string& detail) {
    if (attempt.error) return *attempt.error;
    const std::string& url = attempt.request->shown_url;
    if (attempt.cancelled->load()) return make_error(ErrorCode::cancelled, "stopped while downloading " + url);
    if (code == CURLE_OK || (attempt.status >= 400 && code == CURLE_HTTP_RETURNED_ERROR)) {
        return make_error(ErrorCode::http, std::string(status_mark) + std::to_string(attempt.status) + " for url <" +
                                               url + ">" + std::string(status_hint(attempt.status)));
    }
    std::string reason = curl().easy_strerror(code);
    if (!detail.empty()) reason += " (" + detail + ")";
    if (code == CURLE_OPERATION_TIMEDOUT) reason = "no progress for too long (" + detail + ")";
    return make_error(ErrorCode::network,
                      "could not download " + url + ": " + reason + "; check the network, proxy and channel URL");
}

bool is_worth_retrying(CURLcode code) {
    switch (code) {
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_RESOLVE_PROXY:
    case CURLE_COULDNT_CONNECT:
    case CURLE_PARTIAL_FILE:
    case CURLE_OPERATION_TIMEDOUT:
    case CURLE_GOT_NOTHING:
    case CURLE_SEND_ERROR:
    case CURLE_RECV_ERROR:
    case CURLE_HTTP2:
    case CURLE_HTTP2_STREAM:
    case CURLE_WEIRD_SERVER_REPLY:
    case CURLE_SSL_CONNECT_ERROR: return true;
    default: return false;
    }
}

/// A complete answer, or the error that the attempt amounts to.
Result<Download> conclude(Attempt& attempt, CURLcode code, const std::string& detail) {
    const bool answered = code == CURLE_OK && (attempt.status == 200 || attempt.status == 206 || attempt.status == 304);
    if (!answered || attempt.error) return error_of(attempt, code, detail);
    const TransferRequest& request = *attempt.request;
    if (attempt.status != 304) {
        if (!attempt.body_open) TAIPAN_CHECK(open_body(attempt)); // an empty file
        if (request.expected_size > 0 && attempt.body.size() != request.expected_size) {
            return make_error(ErrorCode::checksum_mismatch, "the server sent " + std::to_string(attempt.body.size()) +
                                                                " bytes instead of the " +
                                                                std::to_string(request.expected_size) +
                                                                " that the index names for " + request.shown_url);
        }
        if (request.progress) request.progress(attempt.body.size());
    }
    Download download;
    download.status = attempt.status == 206 ? 200 : attempt.status;
    download.body = std::move(attempt.body);
    download.resumed = attempt.resumed;
    download.etag = std::move(attempt.etag);
    download.last_modified = std::move(attempt.last_modified);
    download.cache_control = std::move(attempt.cache_control);
    return download;
}

double jitter() {
    static std::minstd_rand generator(std::random_device{}());
    return std::uniform_real_distribution<double>(0, 1)(generator);
}

asio::awaitable<void> pause(std::chrono::milliseconds time, const std::atomic<bool>& cancelled) {
    asio::steady_timer timer(co_await asio::this_coro::executor);
    const auto end = std::chrono::steady_clock::now() + time;
    boost::system::error_code ignored;
    while (!cancelled.load() && std::chrono::steady_clock::now() < end) {
        timer.expires_at(std::min(end, std::chrono::steady_clock::now() + std::chrono::milliseconds(100)));
        co_await timer.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
    }
}

} // namespace

asio::awaitable<Result<Download>> transfer(CurlLoop& loop, const TransferSettings& settings, TransferRequest request,
                                           MemoryBudget& budget, const std::atomic<bool>& cancelled) {
    Attempt attempt;
    attempt.request = &request;
    attempt.budget = &budget;
    attempt.cancelled = &cancelled;
    std::size_t mirror = 0;
    for (AttemptOutcome outcome;; ++outcome.attempt) {
        const CurlEasy easy(curl().easy_init());
        if (!easy) co_return curl_setup_error("a new handle", "out of memory");
        attempt.easy = easy.get();
        Writer writer{&attempt, true};
        std::array<char, CURL_ERROR_SIZE> detail{};
        curl().easy_setopt(easy.get(), CURLOPT_ERRORBUFFER, detail.data());
        attempt.start();
        auto headers = set_up(easy.get(), settings, request.urls[mirror % request.urls.size()], attempt, writer);
        if (!headers) co_return std::move(headers).error();
        const CURLcode code = co_await loop.perform(easy.get());
        auto download = conclude(attempt, code, detail.data());
        if (download) co_return std::move(download);

        outcome.status = attempt.status;
        outcome.connection_failed = attempt.part_refused || (!attempt.error && is_worth_retrying(code));
        if (std::exchange(attempt.part_refused, false)) { // from the start, then
            attempt.etag.clear();
            attempt.last_modified.clear();
        }
        outcome.retry_after = parse_retry_after(attempt.retry_after, std::time(nullptr));
        if (cancelled.load()) co_return std::move(download).error();
        ++mirror;
        if (mirror < request.urls.size()) { // a mirror that was not asked yet is asked at once
            attempt.etag.clear();
            attempt.last_modified.clear(); // a validator means something to its own server only
            --outcome.attempt;
            continue;
        }
        const auto delay = retry_delay(outcome, settings.retry, jitter());
        if (!delay) co_return std::move(download).error();
        co_await pause(*delay, cancelled);
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
