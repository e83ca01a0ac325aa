#pragma once

#include <memory>
#include <unordered_map>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>

#include "base/result.hpp"
#include "fetch/curl_handle.hpp"
#include "fetch/spare_connections.hpp"

namespace taipan {

/// libcurl's multi interface driven by an Asio event loop. Everything happens on the thread that runs the
/// io_context; nothing here blocks. Connections are kept and reused for the life of the loop.
class CurlLoop {
public:
    /// `connections`: how many may be open at once, over all hosts. libcurl is initialised already.
    static Result<std::unique_ptr<CurlLoop>> create(boost::asio::io_context& io, long connections);
    CurlLoop(const CurlLoop&) = delete;
    CurlLoop& operator=(const CurlLoop&) = delete;
    ~CurlLoop();

    /// Runs a fully set up easy handle to its end. The handle must outlive the await. `spread`: it is one of many to a
    /// server that are brief; over HTTP/2, which could carry them all over one connection, they are spread evenly over
    /// those that are there, since each brings so many bytes a round trip at first.
    boost::asio::awaitable<CURLcode> perform(CURL* easy, bool spread = false);
    /// So many more connections (fewer, if negative) were opened to spread exchanges over.
    void add_shared_connections(int count);
    /// Connections for transfers that others will follow at once.
    [[nodiscard]] SpareConnections& spares() { return spares_; }
    /// Ends every running transfer with CURLE_ABORTED_BY_CALLBACK.
    void abort_all();

private:
    struct Watch;
    struct Running;
    explicit CurlLoop(boost::asio::io_context& io);

    static int on_socket(CURL* easy, curl_socket_t socket, int what, void* self, void* watch) noexcept;
    static int on_timer(CURLM* multi, long timeout_ms, void* self) noexcept;
    void watch(curl_socket_t socket, int what);
    void arm(const std::shared_ptr<Watch>& entry);
    void wait(const std::shared_ptr<Watch>& entry, bool reading);
    void act(curl_socket_t socket, int events);
    void collect_finished();
    void finish(CURL* easy, CURLcode code);
    void spread(int more);

    boost::asio::io_context& io_;
    boost::asio::steady_timer timer_;
    long connections_ = 0;
    int spread_exchanges_ = 0, shared_connections_ = 0;
    SpareConnections spares_;
    CurlMulti multi_;
    std::unordered_map<curl_socket_t, std::shared_ptr<Watch>> watches_;
    std::unordered_map<CURL*, std::shared_ptr<Running>> running_;
};

} // namespace taipan
