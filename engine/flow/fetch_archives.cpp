// The pipeline of `materialise` without its second half: network thread -> [bridge] -> TBB graph (verify, publish).
// What must hold is the same: the graph waits for downloads under way, the first error stops all, and a package's lock
// is held from before its download until its archive is published.

#include "flow/fetch_archives.hpp"

#include <chrono>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>

#include <tbb/flow_graph.h>
#include <tbb/parallel_for.h>
#include <tbb/task_arena.h>

#include "base/byte_input.hpp"
#include "base/filesystem.hpp"
#include "fetch/body.hpp"
#include "flow/first_error.hpp"
#include "flow/network.hpp"
#include "flow/package_digests.hpp"
#include "flow/package_request.hpp"

namespace taipan {

namespace {

constexpr std::chrono::milliseconds lock_poll_interval{20};
constexpr std::chrono::minutes lock_patience{20};

Result<void> verify(Body& body, const PackageRecord& record) {
    TAIPAN_TRY(const auto bytes, body.input());
    TAIPAN_CHECK(check_size(bytes->size(), record));
    DigestingInput input(*bytes, record.sha256.empty());
    TAIPAN_TRY(const auto digests, input.finish());
    return check_digests(digests, record);
}

/// One archive on its way.
struct Arrival {
    const PackageRecord* record = nullptr;
    Body body;
    bool from_cache = false, second_try = false;
    bool resumed = false; ///< downloaded in several parts
    PackageLock lock;
};
using ArrivalPtr = std::shared_ptr<Arrival>;

class ArchiveFetcher {
public:
    ArchiveFetcher(Session& session, const PackageCache& cache, const std::vector<Channel>& channels,
                   const std::vector<PlannedPackage>& packages, InstallReport& report)
        : session_(session),
          cache_(cache),
          channels_(channels),
          packages_(packages),
          report_(report),
          verify_(graph_, static_cast<std::size_t>(session.workers()), [this](const ArrivalPtr& arrival) {
              if (!stopped()) take(receive(*arrival));
              arrival->lock.release();
          }) {}

    Result<void> run() {
        std::vector<ArrivalPtr> busy;
        for (const auto& package : packages_) {
            if (stopped()) break;
            auto arrival = std::make_shared<Arrival>();
            arrival->record = &package.record;
            if (auto lock = cache_.try_lock(package.record)) {
                arrival->lock = std::move(*lock);
                take(start(arrival));
            } else {
                busy.push_back(std::move(arrival));
            }
        }
        wait_for_others(std::move(busy));
        graph_.wait_for_all();
        TAIPAN_CHECK(errors_.result());
        if (stopped()) return make_error(ErrorCode::cancelled, "stopped before all packages were there");
        return {};
    }

private:
    [[nodiscard]] bool stopped() const { return session_.stop().stop_requested(); }

    void take(Result<void> result) {
        if (result) return;
        errors_.take(std::move(result));
        session_.stop().request_stop();
    }

    /// With the lock held.
    Result<void> start(const ArrivalPtr& arrival) {
        if (auto found = cache_.find_archive(*arrival->record)) {
            arrival->body = Body::of_foreign_file(std::move(*found));
            arrival->from_cache = true;
            verify_.try_put(arrival);
            return {};
        }
        return download(arrival);
    }

    Result<void> download(const ArrivalPtr& arrival) {
        const PackageRecord& record = *arrival->record;
        if (const std::string path = path_of_file_url(record.url); !path.empty()) {
            if (!exists(path)) {
                return make_error(ErrorCode::http, "HTTP 404 for url <" + record.url + ">: there is no such file");
            }
            arrival->body = Body::of_foreign_file(path);
            verify_.try_put(arrival);
            return {};
        }
        auto network = session_.network();
        if (!network) {
            return std::move(network).context("while looking for " + record.fn + ", which is not in the cache").error();
        }
        graph_.reserve_wait();
        TransferRequest request = package_request(session_, cache_, channels_, record);
        request.digest_known = request.digest_known && !arrival->second_try;
        (*network)->submit(std::move(request), [this, arrival](Result<Download> download) {
            bridge(arrival, std::move(download));
            graph_.release_wait();
        });
        return {};
    }

    /// Network thread.
    void bridge(const ArrivalPtr& arrival, Result<Download> download) {
        const std::string name = arrival->record->dist_name();
        session_.sink().end(Stage::fetch, name, static_cast<bool>(download));
        if (!download) {
            take(std::move(download).context("while fetching " + name).error());
            return;
        }
        {
            const std::scoped_lock guard(mutex_);
            ++report_.fetched_packages;
            report_.fetched_bytes += download->body.size();
        }
        arrival->body = std::move(download->body);
        arrival->resumed = download->resumed;
        verify_.try_put(arrival);
    }

    /// Worker: the right bytes go into the cache, wrong ones of the cache or of several parts are fetched again.
    Result<void> receive(Arrival& arrival) {
        auto right = verify(arrival.body, *arrival.record);
        if (!right) {
            const bool curable = (arrival.from_cache || arrival.resumed) && !arrival.second_try;
            if (right.error().code != ErrorCode::checksum_mismatch || !curable) return right;
            session_.sink().note(Severity::warning, arrival.record->fn + " is damaged; it is fetched again");
            auto again = std::make_shared<Arrival>();
            again->record = arrival.record;
            again->second_try = true;
            again->lock = std::move(arrival.lock);
            return download(again);
        }
        if (arrival.from_cache) return {};
        TAIPAN_CHECK(arrival.body.store_as(cache_.archive_path(*arrival.record)));
        arrival.body = Body();
        return cache_.note_url(arrival.record->url);
    }

    /// Packages that other processes are making: each is looked for again when its lock is free.
    void wait_for_others(std::vector<ArrivalPtr> busy) {
        const auto deadline = std::chrono::steady_clock::now() + lock_patience;
        while (!busy.empty() && !stopped()) {
            std::erase_if(busy, [&](const ArrivalPtr& arrival) {
                auto lock = cache_.try_lock(*arrival->record);
                if (!lock) return false;
                arrival->lock = std::move(*lock);
                take(start(arrival));
                return true;
            });
            if (busy.empty()) return;
            if (std::chrono::steady_clock::now() > deadline) {
                take(make_error(ErrorCode::locked, "another process has been making " + busy.front()->record->fn +
                                                       " in the cache for too long; end it, then try again"));
                return;
            }
            std::this_thread::sleep_for(lock_poll_interval);
        }
    }

    Session& session_;
    const PackageCache& cache_;
    const std::vector<Channel>& channels_;
    const std::vector<PlannedPackage>& packages_;
    InstallReport& report_; ///< guarded by mutex_
    std::mutex mutex_;
    FirstError errors_;
    tbb::flow::graph graph_;
    tbb::flow::function_node<ArrivalPtr> verify_;
};

} // namespace

Result<void> fetch_archives(Session& session, const PackageCache& cache, const std::vector<Channel>& channels,
                            const std::vector<PlannedPackage>& packages, InstallReport& report) {
    tbb::task_arena arena(session.workers());
    Result<void> done;
    arena.execute([&] { done = ArchiveFetcher(session, cache, channels, packages, report).run(); });
    return done;
}

Result<std::vector<std::string>> sound_archives(Session& session, const PackageCache& cache,
                                                const std::vector<PackageRecord>& records) {
    std::vector<std::string> paths(records.size());
    FirstError errors;
    tbb::task_arena arena(session.workers());
    arena.execute([&] {
        tbb::parallel_for(std::size_t{0}, records.size(), [&](std::size_t i) {
            const auto found = cache.find_archive(records[i]);
            if (!found || errors.any() || session.stop().stop_requested()) return;
            Body body = Body::of_foreign_file(*found);
            auto right = verify(body, records[i]);
            if (right) {
                paths[i] = *found;
            } else if (right.error().code != ErrorCode::checksum_mismatch) {
                errors.take(std::move(right));
            }
        });
    });
    TAIPAN_CHECK(errors.result());
    if (session.stop().stop_requested()) return make_error(ErrorCode::cancelled, "stopped");
    return paths;
}

} // namespace taipan
