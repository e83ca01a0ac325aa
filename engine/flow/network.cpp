// One thread for all downloads. Requests wait in a queue until one of the configured number of slots is free; a
// coroutine then carries one out. When slots are left over, further connections may help with a large download that one
// connection holds up (fetch/split_policy.hpp): that is looked at every 50 ms while there is such a download.
// All state below is touched on the network thread only; `submit` posts.
//
// A stop (signal or first error) closes the queue: what waits is answered with `cancelled`, what runs is aborted.

#include "flow/network.hpp"

#include <algorithm>
#include <deque>
#include <future>
#include <map>
#include <thread>
#include <vector>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>

#include <unistd.h>

#include "fetch/certificates.hpp"
#include "fetch/schedule.hpp"
#include "flow/line_meter.hpp"
#include "model/channel.hpp"

namespace taipan {

namespace asio = boost::asio;

namespace {

/// Brief requests at once: they wait for round trips, not for bytes.
constexpr int brief_slots = 128;
/// Bytes of downloads that may wait in memory for a worker, for the whole run; fewer where memory is limited.
constexpr std::uint64_t most_waiting_bytes = std::uint64_t{6} << 20U;
/// A download of at least this size may be worth more than one connection.
constexpr std::uint64_t worth_watching = std::uint64_t{2} << 20U;
constexpr std::chrono::milliseconds watch_interval{50};
/// What weight the last download has in a mirror's speed.
constexpr double newest_weight = 0.4;

std::string variable(const Config& config, const char* name) {
    const auto found = config.environment.find(name);
    return found == config.environment.end() ? std::string() : found->second;
}

/// The configured value; where that is `true`, the CA bundle that the environment names, as with conda and requests.
std::string verification(const Config& config) {
    if (config.ssl_verify != "true") return config.ssl_verify;
    for (const char* name : {"REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE", "SSL_CERT_DIR"}) {
        if (auto path = variable(config, name); !path.empty()) return path;
    }
    // A program that has certificates in it has no libcurl of the machine, which would know the machine's.
    const std::string certificates = bundled_certificates().empty() ? std::string() : system_certificates();
    return certificates.empty() ? "true" : certificates;
}

TransferSettings settings_of(const Config& config) {
    TransferSettings settings;
    const curl_version_info_data* version = curl().version_info(CURLVERSION_NOW);
    settings.user_agent = "taipan/" TAIPAN_VERSION " libcurl/" + std::string(version->version) + " " + config.subdir;
    settings.ssl_verify = verification(config);
    settings.client_ssl_cert = config.client_ssl_cert;
    settings.client_ssl_cert_key = config.client_ssl_cert_key;
    settings.proxy_servers = config.proxy_servers;
    for (const char* name : {"HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"})
        settings.environment_has_proxy = settings.environment_has_proxy || !variable(config, name).empty();
    settings.netrc_file = variable(config, "NETRC");
    settings.connect_timeout_seconds = config.remote_connect_timeout_seconds;
    settings.stall_timeout_seconds = config.remote_read_timeout_seconds;
    settings.retry.max_retries = config.remote_max_retries;
    settings.retry.backoff_factor = config.remote_backoff_factor;
    return settings;
}

/// What a URL has in common with the others of its mirror: everything but `/<subdir>/<file>`.
std::string mirror_of(const std::string& url) {
    const std::string bare = without_credentials(url);
    const std::size_t file = bare.rfind('/');
    const std::size_t subdir = file == std::string::npos || file == 0 ? file : bare.rfind('/', file - 1);
    return bare.substr(0, subdir);
}

} // namespace

struct Network::Impl {
    struct Waiting {
        TransferRequest request;
        Done done;
    };
    struct Running {
        std::shared_ptr<Transfer> transfer;
        DownloadMeter meter;
        std::uint64_t counted = 0; ///< bytes of it that are in `received`
    };

    Impl(const Config& config, const CgroupLimits& limits, StopSource& stop_source)
        : settings(settings_of(config)),
          slots(std::max(1, config.fetch_threads)),
          stop(stop_source),
          budget(waiting_bytes(most_waiting_bytes, limits)),
          wake(io),
          watch_timer(io) {}

    void enqueue(Waiting waiting) {
        if (waiting.request.brief) {
            brief_queue.push_back(std::move(waiting));
            start_next();
            return;
        }
        const auto larger = [](const Waiting& a, const Waiting& b) {
            return a.request.expected_size < b.request.expected_size;
        };
        queue.insert(std::upper_bound(queue.begin(), queue.end(), waiting, larger), std::move(waiting));
        start_next();
    }

    Waiting take_next() {
        std::vector<std::uint64_t> sizes;
        sizes.reserve(queue.size());
        for (const auto& waiting : queue) sizes.push_back(waiting.request.expected_size);
        const auto next = queue.begin() + static_cast<std::ptrdiff_t>(next_download(sizes, small_running, slots));
        Waiting taken = std::move(*next);
        queue.erase(next);
        return taken;
    }

    void start_next() {
        while (!queue.empty() && (connections < slots || closed)) {
            start(take_next(), connections);
        }
        while (!brief_queue.empty() && (brief_running < brief_slots || closed)) {
            Waiting next = std::move(brief_queue.front());
            brief_queue.pop_front();
            start(std::move(next), brief_running);
        }
    }

    void start(Waiting next, int& slots_in_use) {
        if (closed || stop.stop_requested()) {
            next.done(make_error(ErrorCode::cancelled, "stopped before downloading " + next.request.shown_url));
            return;
        }
        ++slots_in_use;
        asio::co_spawn(io, run(std::move(next), slots_in_use), asio::detached);
    }

    asio::awaitable<void> run(Waiting work, int& slots_in_use) {
        const std::uint64_t size = work.request.expected_size;
        const bool small = size > 0 && size < small_download;
        small_running += small ? 1 : 0;
        if (work.request.started) work.request.started();
        const auto began = std::chrono::steady_clock::now();
        auto transfer = std::make_shared<Transfer>(*loop, settings, std::move(work.request), budget, stop.flag());
        choose_mirrors(*transfer, size);
        running.push_back({transfer, {}, 0});
        if (size >= worth_watching) watch();
        auto download = co_await transfer->run();
        std::erase_if(running, [&](Running& one) {
            if (one.transfer != transfer) return false;
            if (download) count(one, download->body.size()); // the transfer has given them away
            return true;
        });
        const std::chrono::duration<double> taken = std::chrono::steady_clock::now() - began;
        judge_mirrors(*transfer, download, taken.count());
        work.done(std::move(download));
        small_running -= small ? 1 : 0;
        --slots_in_use;
        start_next();
    }

    // ---- mirrors

    void choose_mirrors(Transfer& transfer, std::uint64_t size) {
        const auto& urls = transfer.request().urls;
        if (urls.size() < 2) return;
        if (size > 0) { // an index comes from the first mirror that has it: they need not agree
            std::vector<MirrorView> views;
            for (const auto& source : urls) views.push_back(mirrors[mirror_of(source.url)]);
            transfer.reorder(mirror_order(views, size));
        }
        ++mirrors[mirror_of(transfer.request().urls.front().url)].active;
    }

    void judge_mirrors(const Transfer& transfer, const Result<Download>& download, double seconds) {
        const auto& urls = transfer.request().urls;
        if (urls.size() < 2) return;
        --mirrors[mirror_of(urls.front().url)].active;
        // An index that a mirror does not have (its shards, its .zst) says nothing about its packages.
        if (transfer.request().expected_size == 0) return;
        const std::size_t good = download ? download->source : urls.size();
        for (std::size_t i = 0; i < std::min(good, urls.size()); ++i) ++mirrors[mirror_of(urls[i].url)].failures;
        if (!download) return;
        MirrorView& mirror = mirrors[mirror_of(urls[good].url)];
        mirror.failures = 0;
        if (good != 0) return; // the time went to others, too
        const double rate = static_cast<double>(download->body.size()) / std::max(seconds, 0.001);
        mirror.rate = mirror.rate <= 0 ? rate : newest_weight * rate + (1 - newest_weight) * mirror.rate;
    }

    // ---- more than one connection for a download

    void watch() {
        if (std::exchange(watching, true)) return;
        watch_timer.expires_after(watch_interval);
        watch_timer.async_wait([this](const boost::system::error_code& error) {
            watching = false;
            if (error || closed) return;
            look_at_line();
            const bool more = std::any_of(running.begin(), running.end(), [](const Running& one) {
                return one.transfer->request().expected_size >= worth_watching;
            });
            if (more) watch();
        });
    }

    /// `received` never falls, also when a download starts over.
    void count(Running& one, std::uint64_t bytes) {
        if (bytes > one.counted) received += bytes - one.counted;
        one.counted = bytes;
    }

    void look_at_line() {
        const auto now = std::chrono::steady_clock::now();
        std::uint64_t remaining = 0;
        for (auto& one : running) {
            one.meter.sample(now, one.transfer->received(), one.transfer->has_begun());
            count(one, one.transfer->received());
            remaining +=
                one.transfer->request().expected_size - std::min(one.transfer->request().expected_size, one.counted);
        }
        line.sample(now, received, connections);
        for (auto& one : running) {
            turned_away = turned_away || one.transfer->was_turned_away();
            if (turned_away || one.meter.given_up()) continue;
            LineView view = line.view();
            view.connections = connections;
            view.free_slots = slots - connections;
            view.remaining = remaining;
            view.waiting = static_cast<int>(queue.size());
            const auto decision = decide_split(one.meter.view(now, *one.transfer), view);
            if (decision.give_up) one.meter.give_up();
            if (decision.more_connections > 0) help(one, decision.more_connections, view.rate, now);
        }
    }

    void help(Running& one, int count, double total_rate, std::chrono::steady_clock::time_point now) {
        one.meter.note_step(now, count, total_rate, one.transfer->connections());
        for (int i = 0; i < count; ++i) {
            ++connections;
            asio::co_spawn(io, assist(one.transfer), asio::detached);
        }
    }

    asio::awaitable<void> assist(std::shared_ptr<Transfer> transfer) {
        if (transfer->can_split()) co_await transfer->assist();
        --connections;
        start_next();
    }

    void close() {
        closed = true;
        start_next();
        loop->abort_all();
        watch_timer.cancel();
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
    asio::steady_timer watch_timer;
    bool watching = false;
    std::vector<Waiting> queue; ///< ascending by expected size
    std::deque<Waiting> brief_queue;
    std::vector<Running> running;
    std::map<std::string, MirrorView> mirrors;
    LineMeter line;
    std::uint64_t received = 0; ///< by all downloads so far
    int connections = 0;        ///< slots in use
    int small_running = 0;
    int brief_running = 0;
    bool turned_away = false; ///< a server did not want more connections
    bool closed = false;
    std::thread thread;
};

Network::Network(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

Result<std::unique_ptr<Network>> Network::start(const Config& config, const CgroupLimits& limits, StopSource& stop) {
    TAIPAN_CHECK(initialise_curl());
    auto impl = std::make_unique<Impl>(config, limits, stop);
    TAIPAN_TRY(impl->loop, CurlLoop::create(impl->io, impl->slots + brief_slots));
    const int wake_fd = ::dup(stop.wake_fd());
    if (wake_fd < 0) return make_error(ErrorCode::internal, "cannot duplicate the stop event's descriptor");
    impl->wake.assign(wake_fd);
    impl->settings.spawn = [&io = impl->io](asio::awaitable<void> work) {
        asio::co_spawn(io, std::move(work), asio::detached);
    };
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

void Network::close_spare_connections() {
    asio::post(impl_->io, [state = impl_.get()] { state->loop->spares().clear(); });
}

Result<Download> Network::fetch(TransferRequest request) {
    std::promise<Result<Download>> promise;
    auto future = promise.get_future();
    submit(std::move(request), [&promise](Result<Download> result) { promise.set_value(std::move(result)); });
    return future.get();
}

} // namespace taipan
