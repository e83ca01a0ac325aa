#include <catch2/catch.hpp>

#include "fetch/spare_connections.hpp"

#include <chrono>
#include <cstring>
#include <thread>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <unistd.h>

using namespace taipan;

namespace {

/// A server that takes connections and says nothing.
class Listener {
public:
    Listener() : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
        address_.sin_family = AF_INET;
        address_.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        REQUIRE(::bind(socket_, reinterpret_cast<sockaddr*>(&address_), sizeof address_) == 0);
        socklen_t size = sizeof address_;
        REQUIRE(::getsockname(socket_, reinterpret_cast<sockaddr*>(&address_), &size) == 0);
        REQUIRE(::listen(socket_, 100) == 0);
    }
    Listener(const Listener&) = delete;
    Listener& operator=(const Listener&) = delete;
    ~Listener() { close(); }

    void close() {
        if (socket_ >= 0) ::close(socket_);
        socket_ = -1;
    }
    [[nodiscard]] curl_sockaddr address() const {
        curl_sockaddr address{};
        address.family = AF_INET;
        address.socktype = SOCK_STREAM;
        address.protocol = IPPROTO_TCP;
        address.addrlen = sizeof address_;
        std::memcpy(&address.addr, &address_, sizeof address_);
        return address;
    }
    [[nodiscard]] int accept() const { return ::accept(socket_, nullptr, nullptr); }

private:
    int socket_;
    sockaddr_in address_{};
};

/// Connecting takes a moment, also on this machine.
int take_soon(SpareConnections& spares, const curl_sockaddr& address) {
    for (int i = 0; i < 1000; ++i) {
        if (const int socket = spares.take(address); socket >= 0) return socket;
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    return -1;
}

} // namespace

TEST_CASE("a spare connection is connected when it is taken", "[spare_connections]") {
    const Listener server;
    SpareConnections spares;
    CHECK(spares.take(server.address()) == -1);
    spares.begin(server.address());
    const std::size_t begun = spares.waiting();
    CHECK(begun > 1);
    const int socket = take_soon(spares, server.address());
    REQUIRE(socket >= 0);
    CHECK(spares.waiting() == begun - 1);
    const int other = server.accept();
    REQUIRE(other >= 0);
    CHECK(::write(socket, "x", 1) == 1);
    ::close(socket);
    ::close(other);
    spares.begin(server.address());
    CHECK(spares.waiting() == begun); // only as many as are missing
}

TEST_CASE("a spare connection is for its address only", "[spare_connections]") {
    const Listener server, another;
    SpareConnections spares;
    spares.begin(server.address());
    const int socket = take_soon(spares, server.address());
    REQUIRE(socket >= 0);
    ::close(socket);
    CHECK(spares.take(another.address()) == -1);
}

TEST_CASE("a spare connection that the server has closed is not handed out", "[spare_connections]") {
    Listener server;
    SpareConnections spares;
    spares.begin(server.address());
    // Those that were not accepted are reset with the listening socket.
    const int socket = take_soon(spares, server.address());
    REQUIRE(socket >= 0);
    server.close();
    pollfd closed{socket, POLLIN, 0};
    REQUIRE(::poll(&closed, 1, 5000) == 1);
    ::close(socket);
    CHECK(spares.take(server.address()) == -1);
    CHECK(spares.waiting() == 0);
}
