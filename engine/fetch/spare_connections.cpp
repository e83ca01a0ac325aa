#include "fetch/spare_connections.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>

#include <poll.h>
#include <unistd.h>

#include "fetch/curl_handle.hpp"

namespace taipan {

namespace {

/// Once the server has answered.
constexpr std::size_t later_spares = 64;
/// With those that are in use.
constexpr std::size_t most_connections = 128;

/// Of a socket that is no longer about to be connected.
bool has_failed(const pollfd& ready) {
    int error = 0;
    socklen_t size = sizeof error;
    if (::getsockopt(ready.fd, SOL_SOCKET, SO_ERROR, &error, &size) != 0 || error != 0) return true;
    // A server has nothing to say before it is asked: it has closed the connection.
    return (ready.revents & (POLLIN | POLLERR | POLLHUP)) != 0;
}

bool same(const SpareConnections::Address& a, const SpareConnections::Address& b) {
    return a.length == b.length && std::memcmp(&a.bytes, &b.bytes, a.length) == 0;
}

} // namespace

SpareConnections::Address SpareConnections::address_of(const curl_sockaddr& address) {
    Address copy;
    if ((address.family != AF_INET && address.family != AF_INET6) || address.addrlen > sizeof copy.bytes) return copy;
    std::memcpy(&copy.bytes, &address.addr, address.addrlen);
    copy.length = address.addrlen;
    copy.family = address.family;
    copy.type = address.socktype;
    copy.protocol = address.protocol;
    return copy;
}

void SpareConnections::serve(CURL* easy, Opening& opening) {
    opening.from = this;
    // Without them libcurl opens its sockets itself: slower, not wrong.
    static_cast<void>(curl().easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, &SpareConnections::on_open));
    static_cast<void>(curl().easy_setopt(easy, CURLOPT_OPENSOCKETDATA, &opening));
    static_cast<void>(curl().easy_setopt(easy, CURLOPT_SOCKOPTFUNCTION, &SpareConnections::on_options));
    static_cast<void>(curl().easy_setopt(easy, CURLOPT_SOCKOPTDATA, &opening));
}

SpareConnections::Server& SpareConnections::server(const Address& address) {
    const auto found = std::find_if(servers_.begin(), servers_.end(),
                                    [&](const Server& server) { return same(server.address, address); });
    if (found != servers_.end()) return *found;
    return servers_.emplace_back(Server{address});
}

void SpareConnections::clear() {
    for (const Spare& spare : spares_) ::close(spare.socket);
    spares_.clear();
}

void SpareConnections::close_those_to(const Address& address) {
    std::erase_if(spares_, [&](const Spare& spare) {
        if (!same(spare.address, address)) return false;
        ::close(spare.socket);
        return true;
    });
}

/// libcurl cannot do with one that is still about to be connected.
int SpareConnections::take(const Address& address) {
    std::vector<pollfd> sockets;
    for (const Spare& spare : spares_)
        if (same(spare.address, address)) sockets.push_back({spare.socket, POLLIN | POLLOUT, 0});
    if (sockets.empty() || ::poll(sockets.data(), sockets.size(), 0) <= 0) return -1;
    int found = -1;
    for (const pollfd& one : sockets) {
        if (one.revents == 0) continue;
        const bool failed = has_failed(one);
        if (!failed && found >= 0) continue;
        std::erase_if(spares_, [&](const Spare& spare) { return spare.socket == one.fd; });
        if (failed)
            ::close(one.fd);
        else
            found = one.fd;
    }
    return found;
}

void SpareConnections::begin(const Address& address, std::size_t wanted) {
    if (address.length == 0) return;
    for (auto count = static_cast<std::size_t>(std::count_if(
             spares_.begin(), spares_.end(), [&](const Spare& spare) { return same(spare.address, address); }));
         count < wanted; ++count) {
        const int socket = ::socket(address.family, address.type | SOCK_NONBLOCK | SOCK_CLOEXEC, address.protocol);
        if (socket < 0) return; // no descriptors left: there is none to spare
        if (::connect(socket, reinterpret_cast<const sockaddr*>(&address.bytes), address.length) != 0 &&
            errno != EINPROGRESS) {
            ::close(socket);
            return;
        }
        spares_.push_back({socket, address});
    }
}

std::size_t SpareConnections::wanted(const Server& server) {
    return std::min(server.spares, most_connections - std::min(most_connections, server.opened));
}

void SpareConnections::begin_pending() {
    for (const Address& address : std::exchange(pending_, {})) begin(address, wanted(server(address)));
}

void SpareConnections::answered(const Opening& opening, bool more_will_follow) {
    if (opening.address.length == 0) return;
    Server& known = server(opening.address);
    known.spares = more_will_follow ? later_spares : 0;
    if (more_will_follow)
        begin(opening.address, wanted(known));
    else
        close_those_to(opening.address);
}

curl_socket_t SpareConnections::open(const Address& address) {
    const int spare = take(address);
    if (spare >= 0) {
        opened_.insert(spare);
        return spare;
    }
    // libcurl connects it when this has returned; spare ones must not come before it.
    return ::socket(address.family, address.type | SOCK_CLOEXEC, address.protocol);
}

curl_socket_t SpareConnections::on_open(void* opening, curlsocktype, curl_sockaddr* address) noexcept {
    try {
        auto& request = *static_cast<Opening*>(opening);
        request.address = address_of(*address);
        if (request.address.length == 0)
            return ::socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
        const curl_socket_t socket = request.from->open(request.address);
        if (socket < 0) return CURL_SOCKET_BAD;
        ++request.from->server(request.address).opened;
        request.from->pending_.push_back(request.address);
        return socket;
    } catch (...) {
        return CURL_SOCKET_BAD;
    }
}

int SpareConnections::on_options(void* opening, curl_socket_t socket, curlsocktype) noexcept {
    return static_cast<Opening*>(opening)->from->opened_.erase(socket) > 0 ? CURL_SOCKOPT_ALREADY_CONNECTED
                                                                           : CURL_SOCKOPT_OK;
}

} // namespace taipan
