// The pipeline from URLs to extracted packages: network thread -> [bridge] -> TBB graph (verify + extract, then hand
// over). One token a package walks through; nothing waits for all of a stage to end.
//
//   caller thread   sorts packages by where they are: extracted, archive, file://, to download, being made by another
//                   process; feeds the graph; then helps the workers until the graph is empty
//   network thread  finishes downloads and puts their tokens into the graph
//   workers         extract (at most `workers` at a time) and on_package
//
// What must hold:
// * the graph does not look finished while a download is under way: each one reserves a wait on it;
// * the first error requests a stop: downloads end as cancelled, workers drop their tokens, and the error is returned;
// * a package's lock is held from before its download until it is published, and never while another lock is waited
//   for, so two processes cannot wait for each other.

#include "flow/materialise.hpp"

#include <chrono>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>

#include <tbb/flow_graph.h>
#include <tbb/task_arena.h>

#include "base/byte_input.hpp"
#include "base/filesystem.hpp"
#include "extract/extract.hpp"
#include "fetch/body.hpp"
#include "flow/early_extraction.hpp"
#include "flow/extract_contexts.hpp"
#include "flow/idle_workers.hpp"
#include "flow/network.hpp"
#include "flow/package_digests.hpp"
#include "flow/package_request.hpp"
#include "model/channel.hpp"

namespace taipan {

namespace {

constexpr std::chrono::milliseconds lock_poll_interval{20};
constexpr std::chrono::minutes lock_patience{20};

/// One package on its way through the graph.
struct Token {
    std::size_t index = 0;
    std::string extracted;   ///< set when there is nothing to do but to hand it over
    std::string distrusted;  ///< a directory of the cache that was found not to be whole
    Body body;               ///< else: the archive's bytes
    bool from_cache = false; ///< the body is an archive of the cache: may be stale, must not be stored again
    bool resumed = false;    ///< downloaded in several parts
    bool second_try = false;
    bool used_up = false;                   ///< the body was read once, in vain, and has holes now
    std::unique_ptr<EarlyExtraction> early; ///< for a large download
    PackageLock lock;
};
using TokenPtr = std::shared_ptr<Token>;

ArchiveFormat format_of(const PackageRecord& record) {
    return record.fn.ends_with(".conda") ? ArchiveFormat::conda : ArchiveFormat::tar_bz2;
}

class Materialiser {
public:
    Materialiser(Session& session, const PackageCache& cache, const std::vector<Channel>& channels,
                 const std::vector<PlannedPackage>& packages, const OnPackage& on_package, InstallReport& report,
                 tbb::task_arena& arena)
        : session_(session),
          cache_(cache),
          channels_(channels),
          packages_(packages),
          on_package_(on_package),
          report_(report),
          helpers_(graph_, arena, session.workers()),
          extract_(graph_, static_cast<std::size_t>(session.workers()), [this](const TokenPtr& token) {
              helpers_.arrive();
              work(token);
              helpers_.end_package();
          }) {}

    Result<void> run() {
        std::vector<TokenPtr> busy;
        for (std::size_t index = 0; index < packages_.size() && !stopped(); ++index) {
            if (auto started = start(index, busy); !started) fail(std::move(started).error());
        }
        wait_for_others(std::move(busy));
        graph_.wait_for_all();
        helpers_.arrive();
        if (error_) return std::move(*error_);
        if (stopped()) return make_error(ErrorCode::cancelled, "stopped before all packages were there");
        return {};
    }

private:
    [[nodiscard]] bool stopped() const { return session_.stop().stop_requested(); }

    void fail(Error error) {
        const std::scoped_lock guard(mutex_);
        const bool first = !error_ || (error_->code == ErrorCode::cancelled && error.code != ErrorCode::cancelled);
        if (first) error_ = std::move(error);
        session_.stop().request_stop();
    }

    void put(const TokenPtr& token) {
        helpers_.begin_package();
        extract_.try_put(token);
    }

    /// Decides where the package comes from, and sets it going; one that another process is making goes to `busy`.
    Result<void> start(std::size_t index, std::vector<TokenPtr>& busy) {
        auto token = std::make_shared<Token>();
        token->index = index;
        const PlannedPackage& package = packages_[index];
        if (package.cached == CacheState::extracted) {
            token->extracted = package.location;
            put(token);
            return {};
        }
        auto lock = cache_.try_lock(package.record);
        if (!lock) {
            busy.push_back(std::move(token));
            return {};
        }
        token->lock = std::move(*lock);
        return start_locked(token);
    }

    /// With the lock held: somebody may have finished it since the plan was made.
    Result<void> start_locked(const TokenPtr& token) {
        const PackageRecord& record = packages_[token->index].record;
        if (auto found = cache_.find_extracted(record, token->distrusted)) {
            token->extracted = std::move(*found);
            put(token);
            return {};
        }
        if (auto found = cache_.find_archive(record)) {
            token->body = Body::of_foreign_file(std::move(*found));
            token->from_cache = true;
            put(token);
            return {};
        }
        return download(token);
    }

    Result<void> download(const TokenPtr& token) {
        const PackageRecord& record = packages_[token->index].record;
        if (const std::string path = path_of_file_url(record.url); !path.empty()) {
            if (!exists(path)) {
                return make_error(ErrorCode::http, "HTTP 404 for url <" + record.url + ">: there is no such file");
            }
            token->body = Body::of_foreign_file(path);
            put(token);
            return {};
        }
        auto network = session_.network();
        if (!network) {
            return std::move(network).context("while looking for " + record.fn + ", which is not in the cache").error();
        }
        TransferRequest request = package_request(session_, cache_, channels_, record);
        if (token->second_try) request.digest_known = false; // no parts this time: they did not fit together
        if (EarlyExtraction::worthwhile(record) && !(token->second_try && request.consumed)) {
            token->early =
                std::make_unique<EarlyExtraction>(session_, cache_, record, helpers_, contexts_, early_slots_);
            request.opened = [early = token->early.get()](const Body& body) { early->opened(body); };
            request.arrived = [early = token->early.get()](std::uint64_t bytes) { early->arrived(bytes); };
        }
        graph_.reserve_wait();
        (*network)->submit(std::move(request), [this, token](Result<Download> download) {
            bridge(token, std::move(download));
            graph_.release_wait();
        });
        return {};
    }

    /// Network thread: a finished download becomes work for the graph.
    void bridge(const TokenPtr& token, Result<Download> download) {
        const std::string name = packages_[token->index].record.dist_name();
        session_.sink().end(Stage::fetch, name, static_cast<bool>(download));
        if (!download) {
            fail(std::move(download).context("while fetching " + name).error());
            return;
        }
        {
            const std::scoped_lock guard(mutex_);
            ++report_.fetched_packages;
            report_.fetched_bytes += download->body.size();
        }
        token->body = std::move(download->body);
        token->resumed = download->resumed;
        put(token);
    }

    /// Packages that other processes are making: take each over when its lock is free.
    void wait_for_others(std::vector<TokenPtr> busy) {
        const auto deadline = std::chrono::steady_clock::now() + lock_patience;
        while (!busy.empty() && !stopped()) {
            std::erase_if(busy, [&](const TokenPtr& token) {
                auto lock = cache_.try_lock(packages_[token->index].record);
                if (!lock) return false;
                token->lock = std::move(*lock);
                if (auto started = start_locked(token); !started) fail(std::move(started).error());
                return true;
            });
            if (busy.empty()) return;
            if (std::chrono::steady_clock::now() > deadline) {
                fail(make_error(ErrorCode::locked, "another process has been making " +
                                                       packages_[busy.front()->index].record.fn +
                                                       " in the cache for too long; end it, then try again"));
                return;
            }
            std::this_thread::sleep_for(lock_poll_interval);
        }
    }

    void work(const TokenPtr& token) {
        if (stopped()) return;
        const std::string name = packages_[token->index].record.dist_name();
        try {
            auto package = token->extracted.empty() ? extract(token) : reuse(token);
            token->lock.release();
            if (!package) {
                fail(std::move(package).error());
                return;
            }
            if (!*package) return; // a stale archive or directory: the package comes again
            if (auto taken = on_package_(std::move(**package)); !taken) fail(std::move(taken).error());
        } catch (const std::exception& failure) {
            fail(make_error(ErrorCode::internal, "unexpected failure at " + name + ": " + failure.what()));
        }
    }

    Result<std::optional<CachedPackage>> reuse(const TokenPtr& token) {
        CachedPackage package{token->index, packages_[token->index].record, token->extracted, {}, false, {}, {}};
        if (auto known = cache_.find_known(package.directory)) {
            package.info.index_json = std::move(known->record_json); // which has been completed from info/index.json
            package.info.paths_json = std::move(known->paths_json);
            package.info.link_json = std::move(known->link_json);
            package.contained = known->contained;
            TAIPAN_CHECK(complete(package, packages_[package.index]));
            return std::optional(std::move(package));
        }
        const auto problem = look_at_foreign(package, packages_[package.index], cache_);
        if (!problem) return std::move(problem).error();
        if (problem->empty()) return std::optional(std::move(package));
        session_.sink().note(Severity::warning,
                             package.directory + " is not whole (" + *problem + "); the package is made anew");
        TAIPAN_CHECK(make_anew(*token));
        return std::optional<CachedPackage>();
    }

    /// Sets a package going once more, from its archive or its URL, since what is extracted of it is not whole.
    Result<void> make_anew(const Token& token) {
        auto again = std::make_shared<Token>();
        again->index = token.index;
        again->distrusted = token.extracted;
        const auto deadline = std::chrono::steady_clock::now() + lock_patience;
        while (!stopped() && std::chrono::steady_clock::now() < deadline) {
            auto lock = cache_.try_lock(packages_[token.index].record);
            if (lock) {
                again->lock = std::move(*lock);
                return start_locked(again);
            }
            std::this_thread::sleep_for(lock_poll_interval);
        }
        return make_error(ErrorCode::locked, "another process has been making " + packages_[token.index].record.fn +
                                                 " in the cache for too long; end it, then try again");
    }

    /// nullopt: the bytes were not the right ones and are being downloaded again.
    Result<std::optional<CachedPackage>> extract(const TokenPtr& token) {
        PackageRecord record = packages_[token->index].record;
        auto unpacked = unpack(*token, record);
        if (!unpacked && unpacked.error().code == ErrorCode::checksum_mismatch) {
            // An archive of the cache may be stale, and parts may not belong together: that is worth one more download.
            const bool curable = token->from_cache || token->resumed || token->used_up;
            if (token->second_try || !curable) return std::move(unpacked).error();
            token->body = Body();
            TAIPAN_CHECK(download_again(token));
            return std::optional<CachedPackage>();
        }
        if (!unpacked) return std::move(unpacked).error();
        complete_digests(unpacked->digests, token->body.size(), record);
        return publish(*token, std::move(*unpacked), std::move(record));
    }

    /// The archive's content in a place of its own, and verified.
    Result<UnpackedPackage> unpack(Token& token, const PackageRecord& record) {
        TAIPAN_CHECK(check_size(token.body.size(), record));
        if (token.early) {
            auto early = token.early->take();
            const bool consumed = token.early->has_consumed();
            token.early.reset();
            const auto right = early ? check_digests(early->digests, record) : Result<void>();
            if (early && right) return std::move(*early);
            if (consumed && !right) return right.error();
            if (consumed && !stopped()) {
                token.used_up = true;
                return make_error(ErrorCode::checksum_mismatch, record.fn + " could not be extracted while it arrived");
            }
        }
        const std::string name = record.dist_name();
        Span span(session_.sink(), Stage::extract, name, token.body.size());
        TAIPAN_TRY(const auto bytes, token.body.input());
        // No index will ever tell the md5 of what was asked for by URL, and `list --explicit --md5` wants it.
        const bool with_md5 = record.sha256.empty() || (packages_[token.index].from_url && record.md5.empty());
        DigestingInput input(*bytes, with_md5);
        TAIPAN_TRY(StagedDirectory staged, cache_.stage(record));
        ExtractContexts::Lease context(contexts_);
        auto content = extract_package(*context, input, format_of(record), staged.fd(), session_.stop().flag(),
                                       {.still_arriving = false, .helpers = &helpers_});
        if (!content && content.error().code == ErrorCode::cancelled) return std::move(content).error();
        // Whatever is wrong with the wrong file: that it is the wrong one is what has to be said.
        TAIPAN_TRY(auto digests, input.finish());
        TAIPAN_CHECK(check_digests(digests, record));
        if (!content)
            return std::move(content).context("while extracting " + record.fn + " from " + record.url).error();
        span.succeed();
        return UnpackedPackage{std::move(staged), std::move(*content), std::move(digests)};
    }

    Result<std::optional<CachedPackage>> publish(Token& token, UnpackedPackage unpacked, PackageRecord record) {
        const std::uint64_t files = unpacked.content.files;
        CachedPackage package{token.index,
                              std::move(record),
                              cache_.keeps_trees() ? cache_.extracted_path(packages_[token.index].record)
                                                   : unpacked.staged.path(),
                              linker_texts(std::move(unpacked.content.info)),
                              unpacked.content.contained,
                              {},
                              {}};
        TAIPAN_CHECK(complete(package, packages_[package.index]));
        if (!token.from_cache && cache_.keeps_archives()) {
            TAIPAN_CHECK(token.body.store_as(cache_.archive_path(package.record)));
            TAIPAN_CHECK(cache_.note_url(package.record.url));
        }
        token.body = Body();
        if (cache_.keeps_trees()) {
            const KnownPackage known{package.contained, {}, package.info.paths_json, package.info.link_json};
            TAIPAN_CHECK(cache_.publish_extracted(std::move(unpacked.staged), package.record, known));
        } else {
            package.tree.emplace(std::move(unpacked.staged));
        }
        const std::scoped_lock guard(mutex_);
        ++report_.extracted_packages;
        report_.extracted_files += files;
        return std::optional(std::move(package));
    }

    Result<void> download_again(const TokenPtr& token) {
        const PackageRecord& record = packages_[token->index].record;
        session_.sink().note(Severity::warning,
                             token->from_cache ? "the cached archive " + record.fn +
                                                     " is damaged or another file of that name; it is fetched again"
                             : token->resumed
                                 ? "the parts of " + record.fn + " do not fit together; it is fetched again"
                                 : record.fn + " is fetched again, to be extracted when it is whole");
        // The lock travels on with a copy of the token; this one gives it up when its work returns.
        auto again = std::make_shared<Token>();
        again->index = token->index;
        again->second_try = true;
        again->distrusted = token->distrusted;
        again->lock = std::move(token->lock);
        return download(again);
    }

    Session& session_;
    const PackageCache& cache_;
    const std::vector<Channel>& channels_;
    const std::vector<PlannedPackage>& packages_;
    const OnPackage& on_package_;
    InstallReport& report_; ///< guarded by mutex_
    std::mutex mutex_;
    std::optional<Error> error_;
    std::shared_ptr<EarlyExtraction::Slots> early_slots_ = std::make_shared<EarlyExtraction::Slots>();
    ExtractContexts contexts_;
    tbb::flow::graph graph_;
    IdleWorkers helpers_;
    tbb::flow::function_node<TokenPtr> extract_;
};

} // namespace

Result<void> materialise(Session& session, const PackageCache& cache, const std::vector<Channel>& channels,
                         const std::vector<PlannedPackage>& packages, const OnPackage& on_package,
                         InstallReport& report) {
    tbb::task_arena arena(session.workers());
    Result<void> done;
    arena.execute([&] { done = Materialiser(session, cache, channels, packages, on_package, report, arena).run(); });
    return done;
}

} // namespace taipan
