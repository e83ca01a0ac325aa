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
///
/// A server that serves one connection at a time would wait for ever for a request on a spare one. So the connection
/// that is needed is always begun first, and spare ones follow when an answer says that the server keeps connections,
/// and that one of them carries only one exchange at a time.
///
/// For one thread; nothing blocks. Connections that nobody took are closed with it.
class SpareConnections {
public:
    struct Address {
        sockaddr_storage bytes{};
        socklen_t length = 0; ///< 0: none
        int family = 0, type = 0, protocol = 0;
    };
    /// The part of one request: where its connection went to, if it opened one.
    struct Opening {
        SpareConnections* from = nullptr;
        Address address;
    };

    SpareConnections() = default;
    SpareConnections(const SpareConnections&) = delete;
    SpareConnections& operator=(const SpareConnections&) = delete;
    ~SpareConnections() { clear(); }

    /// Makes `easy` take its connection from here and begin spare ones to where it connects. Both must outlive it.
    void serve(CURL* easy, Opening& opening);
    /// After libcurl had its turn: begins the first spare connections to where it has begun one.
    void begin_pending();
    /// The head of an answer is there: whether others will follow it, and over connections that are kept.
    void answered(const Opening& opening, bool more_will_follow);
    /// Closes all that nobody has taken.
    void clear();
    /// Connections that are open or about to be, and that nobody has taken.
    [[nodiscard]] std::size_t waiting() const { return spares_.size(); }

    /// A socket that is connected to the address; the caller's from now on. -1 if there is none yet.
    int take(const Address& address);
    /// Begins connections to the address until so many wait.
    void begin(const Address& address, std::size_t wanted);
    static Address address_of(const curl_sockaddr& address);

private:
    struct Spare {
        int socket = -1;
        Address address;
    };
    /// What is known of a server.
    struct Server {
        Address address;
        std::size_t spares = 0; ///< so many may wait
        std::size_t opened = 0; ///< connections that requests have had
    };
    static curl_socket_t on_open(void* opening, curlsocktype purpose, curl_sockaddr* address) noexcept;
    static int on_options(void* opening, curl_socket_t socket, curlsocktype purpose) noexcept;
    curl_socket_t open(const Address& address);
    Server& server(const Address& address);
    static std::size_t wanted(const Server& server);
    void close_those_to(const Address& address);

    std::vector<Spare> spares_;
    std::vector<Server> servers_;
    std::vector<Address> pending_;   ///< new connections were begun to these
    std::unordered_set<int> opened_; ///< handed out, and libcurl not told yet that they need no connect
};

} // namespace taipan
