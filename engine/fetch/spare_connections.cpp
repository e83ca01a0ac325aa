#include "fetch/spare_connections.hpp"

#include <algorithm>
#include <cstring>

#include <poll.h>
#include <unistd.h>

#include "fetch/curl_handle.hpp"

namespace taipan {

namespace {

constexpr std::size_t fewest = 16, most = 64;

enum class State { connecting, connected, failed };

State state_of(int socket) {
    pollfd ready{socket, POLLIN | POLLOUT, 0};
    if (::poll(&ready, 1, 0) <= 0) return State::connecting;
    int error = 0;
    socklen_t size = sizeof error;
    if (::getsockopt(socket, SOL_SOCKET, SO_ERROR, &error, &size) != 0 || error != 0) return State::failed;
    // A server has nothing to say before it is asked: it has closed the connection.
    return (ready.revents & (POLLIN | POLLERR | POLLHUP)) != 0 ? State::failed : State::connected;
}

} // namespace

SpareConnections::~SpareConnections() {
    for (const Spare& spare : spares_) ::close(spare.socket);
}

void SpareConnections::serve(CURL* easy) {
    // Without them libcurl opens its sockets itself: slower, not wrong.
    static_cast<void>(curl().easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, &SpareConnections::on_open));
    static_cast<void>(curl().easy_setopt(easy, CURLOPT_OPENSOCKETDATA, this));
    static_cast<void>(curl().easy_setopt(easy, CURLOPT_SOCKOPTFUNCTION, &SpareConnections::on_options));
    static_cast<void>(curl().easy_setopt(easy, CURLOPT_SOCKOPTDATA, this));
}

int SpareConnections::take(const curl_sockaddr& address) {
    int found = -1;
    std::erase_if(spares_, [&](const Spare& spare) {
        if (found >= 0 || spare.length != address.addrlen ||
            std::memcmp(&spare.address, &address.addr, spare.length) != 0)
            return false;
        const State state = state_of(spare.socket);
        if (state == State::connecting) return false;
        if (state == State::connected)
            found = spare.socket;
        else
            ::close(spare.socket);
        return true;
    });
    return found;
}

void SpareConnections::begin(const curl_sockaddr& address) {
    if ((address.family != AF_INET && address.family != AF_INET6) || address.addrlen > sizeof(sockaddr_storage)) return;
    const std::size_t wanted = std::clamp(2 * opened_, fewest, most);
    while (spares_.size() < wanted) {
        Spare spare;
        spare.socket = ::socket(address.family, address.socktype | SOCK_NONBLOCK | SOCK_CLOEXEC, address.protocol);
        if (spare.socket < 0) return; // no descriptors left: there is none to spare
        spare.length = address.addrlen;
        std::memcpy(&spare.address, &address.addr, spare.length);
        if (::connect(spare.socket, &address.addr, spare.length) != 0 && errno != EINPROGRESS) {
            ::close(spare.socket);
            return;
        }
        spares_.push_back(spare);
    }
}

curl_socket_t SpareConnections::open(const curl_sockaddr& address) {
    ++opened_;
    int socket = take(address);
    if (socket >= 0)
        connected_.insert(socket);
    else
        socket = ::socket(address.family, address.socktype | SOCK_CLOEXEC, address.protocol);
    // After the one that is needed now: it must not wait behind them.
    if (socket >= 0) begin(address);
    return socket < 0 ? CURL_SOCKET_BAD : socket;
}

curl_socket_t SpareConnections::on_open(void* self, curlsocktype, curl_sockaddr* address) noexcept {
    try {
        return static_cast<SpareConnections*>(self)->open(*address);
    } catch (...) {
        return CURL_SOCKET_BAD;
    }
}

int SpareConnections::on_options(void* self, curl_socket_t socket, curlsocktype) noexcept {
    return static_cast<SpareConnections*>(self)->connected_.erase(socket) > 0 ? CURL_SOCKOPT_ALREADY_CONNECTED
                                                                              : CURL_SOCKOPT_OK;
}

} // namespace taipan
