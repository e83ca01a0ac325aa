// One thread for all downloads. Requests wait in a queue, largest first, until one of the configured number of slots
// is free; a coroutine then carries one out. All state below is touched on the network thread only; `submit` posts.
//
// A stop (signal or first error) closes the queue: what waits is answered with `cancelled`, what runs is aborted.

#include "flow/network.hpp"

#include <algorithm>
#include <future>
#include <thread>
#include <vector>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>

#include <unistd.h>

namespace taipan {

namespace asio = boost::asio;

namespace {

/// Bytes of downloads that may wait in memory for a worker, for the whole run.
constexpr std::uint64_t memory_budget_bytes = std::uint64_t{24} << 20U;

TransferSettings settings_of(const Config& config) {
    TransferSettings settings;
    const curl_version_info_data* version = curl().version_info(CURLVERSION_NOW);
    settings.user_agent = "taipan/" TAIPAN_VERSION " libcurl/" + std::string(version->version) + " " + config.subdir;
    settings.ssl_verify = config.ssl_verify;
    settings.client_ssl_cert = config.client_ssl_cert;
    settings.client_ssl_cert_key = config.client_ssl_cert_key;
    settings.proxy_servers = config.proxy_servers;
    settings.connect_timeout_seconds = config.remote_connect_timeout_seconds;
    settings.stall_timeout_seconds = config.remote_read_timeout_seconds;
    settings.retry.max_retries = config.remote_max_retries;
    settings.retry.backoff_factor = config.remote_backoff_factor;
    return settings;
}

} // namespace

struct Network::Impl {
    struct Waiting {
        TransferRequest request;
        Done done;
    };

    Impl(const Config& config, StopSource& stop_source)
        : settings(settings_of(config)),
          slots(std::max(1, config.fetch_threads)),
          stop(stop_source),
          budget(memory_budget_bytes),
          wake(io) {}

    void enqueue(Waiting waiting) {
        const auto larger = [](const Waiting& a, const Waiting& b) {
            return a.request.expected_size < b.request.expected_size;
        };
        queue.insert(std::upper_bound(queue.begin(), queue.end(), waiting, larger), std::move(waiting));
        start_next();
    }

    void start_next() {
        while (!queue.empty() && (running < slots || closed)) {
            Waiting next = std::move(queue.back());
            queue.pop_back();
            if (closed || stop.stop_requested()) {
                next.done(make_error(ErrorCode::cancelled, "stopped before downloading " + next.request.shown_url));
                continue;
            }
            ++running;
            asio::co_spawn(io, run(std::move(next)), asio::detached);
        }
    }

    asio::awaitable<void> run(Waiting work) {
        if (work.request.started) work.request.started();
        work.done(co_await transfer(*loop, settings, std::move(work.request), budget, stop.flag()));
        --running;
        start_next();
    }

    void close() {
        closed = true;
        start_next();
        loop->abort_all();
    }

    void watch_for_stop() {
        wake.async_wait(asio::posix::stream_descriptor::wait_read, [this](const boost::system::error_code& error) {
            if (!error) close();
        });
    }

    TransferSettings settings;
    int slots;
    StopSource& stop;
    MemoryBudget budget;
    asio::io_context io{1};
    std::unique_ptr<CurlLoop> loop;
    asio::posix::stream_descriptor wake;
    std::vector<Waiting> queue; ///< ascending by expected size
    int running = 0;
    bool closed = false;
    std::thread thread;
};

Network::Network(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

Result<std::unique_ptr<Network>> Network::start(const Config& config, StopSource& stop) {
    TAIPAN_CHECK(initialise_curl());
    auto impl = std::make_unique<Impl>(config, stop);
    TAIPAN_TRY(impl->loop, CurlLoop::create(impl->io, impl->slots));
    const int wake_fd = ::dup(stop.wake_fd());
    if (wake_fd < 0) return make_error(ErrorCode::internal, "cannot duplicate the stop event's descriptor");
    impl->wake.assign(wake_fd);
    impl->watch_for_stop();
    impl->thread = std::thread([state = impl.get()] {
        const auto guard = asio::make_work_guard(state->io);
        state->io.run();
    });
    return std::unique_ptr<Network>(new Network(std::move(impl)));
}

Network::~Network() {
    asio::post(impl_->io, [state = impl_.get()] {
        state->close();
        asio::post(state->io, [state] { state->io.stop(); });
    });
    impl_->thread.join();
}

void Network::submit(TransferRequest request, Done done) {
    asio::post(impl_->io,
               [state = impl_.get(), waiting = Impl::Waiting{std::move(request), std::move(done)}]() mutable {
                   state->enqueue(std::move(waiting));
               });
}

Result<Download> Network::fetch(TransferRequest request) {
    std::promise<Result<Download>> promise;
    auto future = promise.get_future();
    submit(std::move(request), [&promise](Result<Download> result) { promise.set_value(std::move(result)); });
    return future.get();
}

} // namespace taipan
