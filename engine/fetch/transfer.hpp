#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include <boost/asio/awaitable.hpp>

#include "base/result.hpp"
#include "fetch/body.hpp"
#include "fetch/curl_loop.hpp"
#include "fetch/retry.hpp"

namespace taipan {

/// Settings of all transfers of a run.
struct TransferSettings {
    std::string user_agent;
    std::string ssl_verify = "true"; ///< true, false, or the path of a CA bundle or directory
    std::string client_ssl_cert, client_ssl_cert_key;
    std::map<std::string, std::string> proxy_servers; ///< scheme or scheme://host -> proxy URL
    double connect_timeout_seconds = 9.15;
    double stall_timeout_seconds = 60; ///< without any progress
    RetryPolicy retry;
};

/// One thing to download.
struct TransferRequest {
    std::vector<std::string> urls; ///< mirrors in order, with credentials; never shown
    std::string shown_url;         ///< what messages and events say instead
    std::vector<std::string> headers;
    std::string spool_directory;                        ///< for bodies that do not fit in memory; empty: memory only
    std::uint64_t expected_size = 0;                    ///< 0 when unknown; another length is an error
    std::uint64_t size_limit = std::uint64_t{8} << 30U; ///< more bytes than that are refused
    std::function<void()> started;                      ///< when its turn comes; called on the network thread
    std::function<void(std::uint64_t)> progress;        ///< bytes so far; called on the network thread
    /// The body is open and empty, at first and whenever the download starts over; called on the network thread.
    std::function<void(const Body&)> opened;
    /// So many bytes from the start on are in the body; called on the network thread, for about each 256 kB.
    std::function<void(std::uint64_t)> arrived;
};

/// What a server answered: a complete body (status 200), or 304 without one.
struct Download {
    long status = 0;
    Body body;
    bool resumed = false; ///< glued together from several answers: a wrong hash may be nobody's fault but ours
    std::string etag, last_modified, cache_control;
};

/// Downloads one thing: tries mirrors in turn, retries with back-off, resumes where the server allows it. Errors:
/// http (with the status in the message), network, checksum_mismatch (more or fewer bytes than expected), cancelled.
boost::asio::awaitable<Result<Download>> transfer(CurlLoop& loop, const TransferSettings& settings,
                                                  TransferRequest request, MemoryBudget& budget,
                                                  const std::atomic<bool>& cancelled);

/// The HTTP status inside an error made by `transfer`, 0 if it has none.
[[nodiscard]] long http_status_of(const Error& error);

} // namespace taipan
