// Sharded repodata is a graph whose nodes lie behind round trips. No level of it waits for the one before: each shard
// that arrives is read at once, and what it names and was not asked for yet is asked for. Where only some packages of a
// known channel have changed, even that need not be waited for: what a shard named before is asked for with it.
// Fetching is the network thread's work, reading is done here, on the caller's thread, while other shards are under
// way.

#include "flow/shard_walk.hpp"

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <optional>
#include <unordered_set>

#include "flow/network.hpp"

namespace taipan {

namespace {

class Walk {
public:
    Walk(Session& session, LoadedIndexes& indexes, bool follow)
        : session_(session), indexes_(indexes), follow_(follow) {}
    Walk(const Walk&) = delete;
    Walk& operator=(const Walk&) = delete;
    /// The network thread must not come back to what is gone.
    ~Walk() {
        std::unique_lock guard(mutex_);
        changed_.wait(guard, [this] { return arrived_.size() == under_way_; });
    }

    Result<void> run(const std::vector<std::string>& names) {
        for (const auto& name : names) visit(name);
        while (true) {
            TAIPAN_CHECK(look_at_visited());
            if (under_way_ == 0) break;
            TAIPAN_CHECK(take_one());
        }
        if (network_ != nullptr) network_->close_spare_connections();
        return {};
    }

private:
    struct Arrival {
        ShardedSubdir* subdir = nullptr;
        std::string name;
        std::optional<Result<Download>> download;
    };

    void visit(std::string_view name) {
        const auto [place, is_new] = visited_.emplace(name);
        if (is_new) pending_.push_back(*place);
    }

    Result<void> look_at_visited() {
        while (!pending_.empty()) {
            const std::string name = std::move(pending_.front());
            pending_.pop_front();
            if (follow_ && name == "python" && python_needs_pip()) visit("pip");
            for (auto& entry : indexes_.entries) {
                if (!entry.shards) {
                    if (follow_) TAIPAN_CHECK(follow(entry.index, name));
                } else if (entry.shards->has(name)) {
                    const auto* known = entry.shards->loaded(name);
                    if (known == nullptr && entry.shards->load_cached(name)) known = entry.shards->loaded(name);
                    if (known == nullptr) {
                        TAIPAN_CHECK(fetch(*entry.shards, name));
                        if (follow_)
                            for (const auto& other : entry.shards->expected_names(name)) visit(other);
                    } else if (follow_) {
                        TAIPAN_CHECK(follow(*known, name));
                    }
                }
            }
        }
        return {};
    }

    bool python_needs_pip() const {
        return session_.config().add_pip_as_python_dependency &&
               std::any_of(indexes_.entries.begin(), indexes_.entries.end(),
                           [](const LoadedIndexes::Entry& entry) { return entry.has("python") && entry.has("pip"); });
    }

    Result<void> follow(const SubdirIndex& index, std::string_view name) {
        auto needed = index.needed_names(name);
        // An index file that is damaged is made anew when the solver comes to this name.
        if (!needed) return {};
        for (const auto other : *needed) visit(other);
        return {};
    }

    Result<void> fetch(ShardedSubdir& subdir, const std::string& name) {
        auto request = subdir.request(name);
        if (session_.config().offline)
            return make_error(ErrorCode::offline, "the shard " + request.shown_url + " of " + name +
                                                      " is not in the cache, and --offline forbids to fetch it");
        TAIPAN_TRY(network_, session_.network());
        {
            const std::scoped_lock guard(mutex_);
            ++under_way_;
        }
        network_->submit(std::move(request), [this, &subdir, name](Result<Download> download) {
            const std::scoped_lock guard(mutex_);
            arrived_.push_back({&subdir, name, std::move(download)});
            changed_.notify_one();
        });
        return {};
    }

    Result<void> take_one() {
        Arrival arrival;
        {
            std::unique_lock guard(mutex_);
            changed_.wait(guard, [this] { return !arrived_.empty(); });
            arrival = std::move(arrived_.front());
            arrived_.pop_front();
            --under_way_;
        }
        TAIPAN_TRY(Download download, std::move(*arrival.download));
        TAIPAN_CHECK(arrival.subdir->accept(arrival.name, std::move(download)));
        return follow_ ? follow(*arrival.subdir->loaded(arrival.name), arrival.name) : Result<void>();
    }

    Session& session_;
    LoadedIndexes& indexes_;
    const bool follow_;
    Network* network_ = nullptr; ///< once something was asked for
    std::unordered_set<std::string> visited_;
    std::deque<std::string> pending_; ///< visited, not looked at
    std::mutex mutex_;                ///< of all below
    std::condition_variable changed_;
    std::deque<Arrival> arrived_;
    std::size_t under_way_ = 0; ///< asked for and not taken yet
};

} // namespace

Result<void> load_shards(Session& session, LoadedIndexes& indexes, const std::vector<std::string>& names, bool follow) {
    return Walk(session, indexes, follow).run(names);
}

} // namespace taipan
