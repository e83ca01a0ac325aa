#include <catch2/catch.hpp>

#include "fetch/spare_connections.hpp"

#include <cstring>

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
    [[nodiscard]] SpareConnections::Address address() const {
        SpareConnections::Address address;
        std::memcpy(&address.bytes, &address_, sizeof address_);
        address.length = sizeof address_;
        address.family = AF_INET;
        address.type = SOCK_STREAM;
        address.protocol = IPPROTO_TCP;
        return address;
    }
    [[nodiscard]] int accept() const { return ::accept(socket_, nullptr, nullptr); }

private:
    int socket_;
    sockaddr_in address_{};
};

/// Connecting takes a moment, also on this machine.
int take_connected(SpareConnections& spares, const SpareConnections::Address& address) {
    int socket = -1;
    for (int i = 0; socket < 0 && i < 5000; ++i) {
        socket = spares.take(address);
        if (socket < 0) ::poll(nullptr, 0, 1);
    }
    REQUIRE(socket >= 0);
    return socket;
}

constexpr std::size_t some = 4;

} // namespace

TEST_CASE("a spare connection is connected when it is taken", "[spare_connections]") {
    const Listener server;
    SpareConnections spares;
    CHECK(spares.take(server.address()) == -1);
    spares.begin(server.address(), some);
    CHECK(spares.waiting() == some);
    const int socket = take_connected(spares, server.address());
    CHECK(spares.waiting() == some - 1);
    const int other = server.accept();
    REQUIRE(other >= 0);
    CHECK(::write(socket, "x", 1) == 1);
    ::close(socket);
    ::close(other);
    spares.begin(server.address(), some);
    CHECK(spares.waiting() == some); // only as many as are missing
    spares.clear();
    CHECK(spares.waiting() == 0);
}

TEST_CASE("a spare connection is for its address only", "[spare_connections]") {
    const Listener server, another;
    SpareConnections spares;
    spares.begin(server.address(), some);
    CHECK(spares.take(another.address()) == -1);
    CHECK(spares.waiting() == some);
}

TEST_CASE("a spare connection that the server has closed is not handed out", "[spare_connections]") {
    Listener server;
    SpareConnections spares;
    spares.begin(server.address(), some);
    // Those that were not accepted are reset with the listening socket.
    const int socket = take_connected(spares, server.address());
    server.close();
    pollfd closed{socket, POLLIN, 0};
    REQUIRE(::poll(&closed, 1, 5000) == 1);
    ::close(socket);
    CHECK(spares.take(server.address()) == -1);
    CHECK(spares.waiting() == 0);
}

TEST_CASE("an answer says how many spare connections there are", "[spare_connections]") {
    const Listener server, another;
    SpareConnections spares;
    SpareConnections::Opening opening;
    opening.address = server.address();
    spares.begin(another.address(), some);
    spares.answered(opening, true);
    CHECK(spares.waiting() > 2 * some);
    spares.answered(opening, false); // what follows needs connections of its own, or nothing follows
    CHECK(spares.waiting() == some);
    spares.answered(SpareConnections::Opening(), true); // came over a connection that was there
    CHECK(spares.waiting() == some);
}
