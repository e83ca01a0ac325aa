#pragma once

#include <cstddef>
#include <unordered_set>
#include <vector>

#include <curl/curl.h>
#include <sys/socket.h>

namespace taipan {

/// TCP connections that are opened before anybody needs them, so that a request over a new one does not wait for a
/// round trip first. For requests that fan out: what one answer names is asked for at once, over many connections
/// where the server knows only HTTP/1.1. Addresses are those that libcurl connects to (a proxy's, if there is one).
/// For one thread; nothing blocks. Connections that nobody took are closed with it.
class SpareConnections {
public:
    SpareConnections() = default;
    SpareConnections(const SpareConnections&) = delete;
    SpareConnections& operator=(const SpareConnections&) = delete;
    ~SpareConnections();

    /// Makes `easy` take its connections from here and begin spare ones to where it connects. Must outlive it.
    void serve(CURL* easy);
    /// Connections that are open or about to be, and that nobody has taken.
    [[nodiscard]] std::size_t waiting() const { return spares_.size(); }

    /// A socket that is connected to the address, which is the caller's from now on; -1 if there is none yet.
    int take(const curl_sockaddr& address);
    /// Begins connections to the address, as many as further requests may soon need.
    void begin(const curl_sockaddr& address);

private:
    struct Spare {
        int socket = -1;
        sockaddr_storage address{};
        socklen_t length = 0;
    };
    static curl_socket_t on_open(void* self, curlsocktype purpose, curl_sockaddr* address) noexcept;
    static int on_options(void* self, curl_socket_t socket, curlsocktype purpose) noexcept;
    curl_socket_t open(const curl_sockaddr& address);

    std::vector<Spare> spares_;
    std::unordered_set<int> connected_; ///< handed out, and libcurl not told yet that they are connected
    std::size_t opened_ = 0;            ///< connections that were asked for
};

} // namespace taipan
