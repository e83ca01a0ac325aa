// libcurl knows what to do with a socket, Asio knows when. libcurl tells through two callbacks which sockets it wants
// watched and when it wants to be called next; we wait for exactly that and call curl_multi_socket_action.
//
// What must hold:
// * the callbacks never call back into the multi handle: they only (un)register waits;
// * a socket is released from Asio, not closed, when libcurl is done with it: libcurl owns its sockets;
// * a finished transfer resumes its coroutine through the event loop, never from inside a callback.

#include "fetch/curl_loop.hpp"

#include <boost/asio/bind_executor.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace taipan {

namespace asio = boost::asio;

struct CurlLoop::Watch {
    Watch(asio::io_context& io, curl_socket_t fd) : descriptor(io, fd), socket(fd) {}
    ~Watch() { descriptor.release(); }
    asio::posix::stream_descriptor descriptor;
    curl_socket_t socket;
    int wanted = 0; ///< CURL_POLL_IN, CURL_POLL_OUT, CURL_POLL_INOUT, or 0 when no longer watched
    bool reading = false, writing = false;
};

struct CurlLoop::Running {
    explicit Running(asio::io_context& io) : done(io, asio::steady_timer::time_point::max()) {}
    asio::steady_timer done; ///< never expires; cancelled when the transfer has ended
    CURLcode code = CURLE_OK;
    bool ended = false;
};

CurlLoop::CurlLoop(asio::io_context& io) : io_(io), timer_(io) {}

CurlLoop::~CurlLoop() { abort_all(); }

Result<std::unique_ptr<CurlLoop>> CurlLoop::create(asio::io_context& io, long connections) {
    std::unique_ptr<CurlLoop> loop(new CurlLoop(io));
    loop->multi_.reset(curl().multi_init());
    if (!loop->multi_) return make_error(ErrorCode::internal, "libcurl could not make a multi handle");
    loop->connections_ = connections;
    CURLM* multi = loop->multi_.get();
    TAIPAN_CURL(multi, CURLMOPT_SOCKETFUNCTION, &CurlLoop::on_socket);
    TAIPAN_CURL(multi, CURLMOPT_SOCKETDATA, loop.get());
    TAIPAN_CURL(multi, CURLMOPT_TIMERFUNCTION, &CurlLoop::on_timer);
    TAIPAN_CURL(multi, CURLMOPT_TIMERDATA, loop.get());
    TAIPAN_CURL(multi, CURLMOPT_PIPELINING, static_cast<long>(CURLPIPE_MULTIPLEX));
    TAIPAN_CURL(multi, CURLMOPT_MAXCONNECTS, connections);
    TAIPAN_CURL(multi, CURLMOPT_MAX_CONCURRENT_STREAMS, connections);
    return loop;
}

/// libcurl takes the first connection that has room, and opens another one when none has: with as little room as makes
/// all of them fit, every connection has its share.
void CurlLoop::spread(int more) {
    spread_exchanges_ += more;
    long room = connections_;
    if (spread_exchanges_ > 0 && shared_connections_ > 0)
        room = (spread_exchanges_ + shared_connections_ - 1) / shared_connections_;
    // Without it they are all on one: slower, not wrong.
    static_cast<void>(curl().multi_setopt(multi_.get(), CURLMOPT_MAX_CONCURRENT_STREAMS, room));
}

void CurlLoop::add_shared_connections(int count) {
    shared_connections_ += count;
    spread(0);
}

asio::awaitable<CURLcode> CurlLoop::perform(CURL* easy, bool spread_it) {
    auto running = std::make_shared<Running>(io_);
    running_.emplace(easy, running);
    if (curl().multi_add_handle(multi_.get(), easy) != CURLM_OK) {
        running_.erase(easy);
        co_return CURLE_FAILED_INIT;
    }
    boost::system::error_code ignored; // the wait always ends by cancellation
    if (spread_it) spread(1);
    while (!running->ended) co_await running->done.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
    if (spread_it) spread(-1);
    co_return running->code;
}

void CurlLoop::abort_all() {
    while (!running_.empty()) finish(running_.begin()->first, CURLE_ABORTED_BY_CALLBACK);
    timer_.cancel();
}

int CurlLoop::on_socket(CURL*, curl_socket_t socket, int what, void* self, void*) noexcept {
    try {
        static_cast<CurlLoop*>(self)->watch(socket, what);
        return 0;
    } catch (...) {
        return -1; // libcurl then fails the transfer
    }
}

int CurlLoop::on_timer(CURLM*, long timeout_ms, void* self) noexcept {
    auto* loop = static_cast<CurlLoop*>(self);
    try {
        loop->timer_.cancel();
        if (timeout_ms < 0) return 0;
        loop->timer_.expires_after(std::chrono::milliseconds(timeout_ms));
        loop->timer_.async_wait([loop](const boost::system::error_code& error) {
            if (!error) loop->act(CURL_SOCKET_TIMEOUT, 0);
        });
        return 0;
    } catch (...) {
        return -1;
    }
}

void CurlLoop::watch(curl_socket_t socket, int what) {
    auto found = watches_.find(socket);
    if (what == CURL_POLL_REMOVE) {
        if (found == watches_.end()) return;
        found->second->wanted = 0;
        found->second->descriptor.release(); // ends its waits; the descriptor stays libcurl's
        watches_.erase(found);
        return;
    }
    if (found == watches_.end()) found = watches_.emplace(socket, std::make_shared<Watch>(io_, socket)).first;
    found->second->wanted = what;
    arm(found->second);
}

void CurlLoop::arm(const std::shared_ptr<Watch>& entry) {
    if ((entry->wanted & CURL_POLL_IN) != 0 && !entry->reading) wait(entry, true);
    if ((entry->wanted & CURL_POLL_OUT) != 0 && !entry->writing) wait(entry, false);
}

void CurlLoop::wait(const std::shared_ptr<Watch>& entry, bool reading) {
    (reading ? entry->reading : entry->writing) = true;
    const auto condition =
        reading ? asio::posix::stream_descriptor::wait_read : asio::posix::stream_descriptor::wait_write;
    entry->descriptor.async_wait(condition, [this, entry, reading](const boost::system::error_code& error) {
        (reading ? entry->reading : entry->writing) = false;
        if (error == asio::error::operation_aborted || entry->wanted == 0) return;
        act(entry->socket, error ? CURL_CSELECT_ERR : reading ? CURL_CSELECT_IN : CURL_CSELECT_OUT);
        if (entry->wanted != 0 && !error) arm(entry);
    });
}

void CurlLoop::act(curl_socket_t socket, int events) {
    int still_running = 0;
    curl().multi_socket_action(multi_.get(), socket, events, &still_running);
    spares_.begin_pending();
    collect_finished();
}

void CurlLoop::collect_finished() {
    int left = 0;
    while (const CURLMsg* message = curl().multi_info_read(multi_.get(), &left)) {
        if (message->msg == CURLMSG_DONE) finish(message->easy_handle, message->data.result);
    }
}

void CurlLoop::finish(CURL* easy, CURLcode code) {
    const auto found = running_.find(easy);
    if (found == running_.end()) return;
    const auto running = found->second;
    running_.erase(found);
    curl().multi_remove_handle(multi_.get(), easy);
    running->code = code;
    running->ended = true;
    running->done.cancel();
}

} // namespace taipan
