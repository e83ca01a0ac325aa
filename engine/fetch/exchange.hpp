#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <boost/asio/awaitable.hpp>

#include "base/result.hpp"
#include "fetch/curl_loop.hpp"
#include "fetch/retry.hpp"

namespace taipan {

/// Settings of all transfers of a run.
struct TransferSettings {
    std::string user_agent;
    std::string ssl_verify = "true"; ///< true, false, or the path of a CA bundle or directory
    std::string client_ssl_cert, client_ssl_cert_key;
    std::map<std::string, std::string> proxy_servers; ///< scheme or scheme://host -> proxy URL
    bool environment_has_proxy = false;               ///< which libcurl finds itself
    std::string no_proxy;                             ///< hosts that are reached without one, as in $NO_PROXY
    std::string netrc_file;                           ///< empty: libcurl's own idea of where it is
    double connect_timeout_seconds = 9.15;
    double stall_timeout_seconds = 60; ///< without any progress
    RetryPolicy retry;
    /// Begins a coroutine beside the one that asks, on the thread of the loop, which is flow's. Without it a transfer
    /// does one thing at a time.
    std::function<void(boost::asio::awaitable<void>)> spawn;
};

/// Where something can be had: a URL with credentials in it where there are some, and a token for `Authorization:
/// Bearer`. Both are for request lines only, never for messages.
struct TransferSource {
    TransferSource(std::string with_credentials) : url(std::move(with_credentials)) {} // NOLINT: a URL is a source
    TransferSource(std::string with_credentials, std::string bearer_token)
        : url(std::move(with_credentials)), bearer(std::move(bearer_token)) {}
    std::string url;
    std::string bearer;
};

/// What a server said before the bytes: of the last answer when there were redirects.
struct ResponseHead {
    long status = 0; ///< 0: there was no answer
    std::uint64_t length = 0;
    std::string etag, last_modified, cache_control, retry_after, content_range;
    bool ranges_refused = false;    ///< `Accept-Ranges: none`
    bool shares_connection = false; ///< HTTP/2 or later: one connection carries many exchanges at once
    bool encoded = false;           ///< it has a Content-Encoding
    bool keeps_connection = false;  ///< HTTP/1.1 that goes on after this answer

    /// Takes one line as libcurl hands it out; a status line begins a new answer.
    void take_line(std::string_view line);
    /// The server has the file, or a part of it, or would have if it were long enough for the part.
    [[nodiscard]] bool is_of_the_file() const;
    /// For If-Range: a strong ETag, else the date; empty when there is neither.
    [[nodiscard]] const std::string& validator() const;
};

/// One request.
struct ExchangeRequest {
    const TransferSource* source = nullptr;
    std::vector<std::string> headers;
    bool fans_out = false;       ///< others will follow at once, over connections of their own if they must
    bool accepts_gzip = false;   ///< an answer may be compressed, and is handed out inflated
    bool own_connection = false; ///< not one that other transfers share (HTTP/2)
    /// Takes the bytes of an answer 200 or 206; an error ends the exchange and is what it ended with.
    std::function<Result<void>(const ResponseHead& head, std::string_view bytes, bool first)> take;
    /// Asked now and then, also when nothing arrives; true ends the exchange.
    std::function<bool()> abandoned;
};

/// How it ended.
struct ExchangeResult {
    CURLcode code = CURLE_OK;
    ResponseHead head;
    std::string detail;         ///< libcurl's own words
    std::optional<Error> error; ///< the first one of `take`, or of setting it up
    [[nodiscard]] bool answered(long status) const { return code == CURLE_OK && !error && head.status == status; }
    /// No answer, or half of one; another try may have more luck.
    [[nodiscard]] bool connection_failed() const;
};

/// Whether a proxy passes this on without looking into it, over a connection of its own for each one of ours.
[[nodiscard]] bool is_tunnelled(const TransferSettings& settings, std::string_view url);

/// Sends a request and hands out the answer as it arrives.
boost::asio::awaitable<ExchangeResult> exchange(CurlLoop& loop, const TransferSettings& settings,
                                                ExchangeRequest request);

} // namespace taipan
