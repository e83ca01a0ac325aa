// From channel names to something a solver can ask. Each (channel, subdir) is one index and is loaded on a thread of
// its own, which mostly waits for the network; the CPU work (inflate, scan) of several indexes thus overlaps.
//
// The cache is the one conda keeps (conda-spec 7.6): `<key>.json` and its state. It is used without asking while fresh,
// else the server is asked whether it changed. Validators belong to the file they came with: when the server's `.zst`
// comes or goes they are dropped.

#include "flow/index.hpp"

#include <algorithm>
#include <chrono>
#include <optional>
#include <set>
#include <thread>

#include "base/filesystem.hpp"
#include "flow/network.hpp"
#include "model/match_spec.hpp"
#include "model/pattern.hpp"
#include "repodata/cache_state.hpp"
#include "repodata/zstd_text.hpp"

namespace taipan {

namespace {

constexpr std::uint64_t index_size_limit = std::uint64_t{8} << 30U;

std::int64_t now_ns() {
    return std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::system_clock::now().time_since_epoch())
        .count();
}

/// One index on its way.
class IndexLoader {
public:
    IndexLoader(Session& session, const Channel& channel, std::string subdir, const std::string& cache_directory)
        : session_(session),
          channel_(channel),
          subdir_(std::move(subdir)),
          url_(channel.base_url + '/' + subdir_),
          paths_(repodata_cache_paths(cache_directory, repodata_cache_key(channel.authenticated(url_), "repodata.json",
                                                                          session.config().use_only_tar_bz2))) {}

    Result<SubdirIndex> load() {
        Span span(session_.sink(), Stage::index, url_);
        auto index = load_or_empty();
        if (index) span.succeed();
        return index;
    }

private:
    Result<SubdirIndex> load_or_empty() {
        auto index = load_once();
        if (index || index.error().code != ErrorCode::parse || url_.starts_with("file://")) return index;
        // What cannot be read must not stay in the cache; if it came from there, the server may have better.
        forget();
        return std::exchange(from_cache_, false) && !session_.config().offline ? load_once() : std::move(index);
    }

    Result<SubdirIndex> load_once() {
        auto text = url_.starts_with("file://") ? read_local() : read_remote();
        if (!text) {
            if (http_status_of(text.error()) == 404 && subdir_ != "noarch")
                return SubdirIndex::empty(channel_, subdir_);
            return std::move(text)
                .context("while loading the index of channel " + channel_.name + " (" + subdir_ + ")")
                .error();
        }
        return SubdirIndex::parse(std::move(*text), channel_, subdir_, session_.config().use_only_tar_bz2);
    }

    void forget() {
        for (const auto& path : {paths_.json, paths_.state}) {
            if (auto gone = remove_tree(path); !gone) session_.sink().note(Severity::warning, gone.error().message);
        }
    }

    Result<std::string> read_cached() {
        from_cache_ = true;
        return read_file(paths_.json, index_size_limit);
    }

    Result<std::string> read_local() {
        const std::string directory = path_of_file_url(url_);
        if (exists(directory + "/repodata.json")) return read_file(directory + "/repodata.json", index_size_limit);
        if (exists(directory + "/repodata.json.zst")) {
            TAIPAN_TRY(const std::string packed, read_file(directory + "/repodata.json.zst", index_size_limit));
            return decompress_zst(packed, index_size_limit);
        }
        return make_error(ErrorCode::http, "HTTP 404 for url <" + url_ +
                                               "/repodata.json>: there is no such file; a channel directory needs "
                                               "noarch/repodata.json and usually " +
                                               subdir_ + "/repodata.json");
    }

    Result<std::string> read_remote() {
        const Config& config = session_.config();
        auto state = load_repodata_state(paths_);
        const auto fresh = [&] {
            return state &&
                   (config.offline || config.use_index_cache || is_fresh(*state, config.local_repodata_ttl, now_ns()));
        };
        if (fresh()) return read_cached();
        if (config.offline) {
            return make_error(ErrorCode::offline,
                              "the index of " + url_ +
                                  " is not in the cache, and --offline forbids to fetch it; run the "
                                  "same command, or `taipan warm`, once with a network");
        }
        // Two processes need not download it both. Without the lock (timeout, NFS) both may: renames keep that right.
        const auto lock = RepodataLock::acquire(paths_);
        state = load_repodata_state(paths_);
        if (fresh()) return read_cached();
        return ask_server(std::move(state));
    }

    Result<std::string> ask_server(std::optional<RepodataState> state) {
        const bool known_without_zst =
            state && state->has_zst && !state->has_zst->value && still_holds(state->has_zst, now_ns());
        if (session_.config().repodata_use_zst && !known_without_zst) {
            const bool validators_fit = state && state->has_zst && state->has_zst->value;
            auto text = request("/repodata.json.zst", validators_fit ? state : std::nullopt, true);
            const long status = text ? 200 : http_status_of(text.error());
            if (status != 404 && status != 403 && status != 410) return text;
        }
        const bool validators_fit = state && !(state->has_zst && state->has_zst->value);
        return request("/repodata.json", validators_fit ? state : std::nullopt, false);
    }

    Result<std::string> request(const std::string& file, std::optional<RepodataState> state, bool zst) {
        TAIPAN_TRY(Network* const network, session_.network());
        TransferRequest transfer;
        for (const auto& base : bases()) transfer.urls.push_back(base + file);
        transfer.shown_url = url_ + file;
        transfer.size_limit = index_size_limit;
        transfer.progress = [this](std::uint64_t done) { session_.sink().advance(Stage::index, url_, done); };
        if (state && !state->etag.empty()) transfer.headers.push_back("If-None-Match: " + state->etag);
        if (state && !state->mod.empty()) transfer.headers.push_back("If-Modified-Since: " + state->mod);
        TAIPAN_TRY(Download download, network->fetch(std::move(transfer)));
        if (download.status == 304 && state) {
            state->refresh_ns = now_ns();
            TAIPAN_TRY(std::string text, read_cached());
            remember(save_repodata_state(paths_, *state));
            return text;
        }
        TAIPAN_TRY(std::string text, download.body.take_text());
        if (zst) {
            TAIPAN_TRY(text, decompress_zst(text, index_size_limit));
        }
        store(text, download, zst);
        return text;
    }

    void store(const std::string& text, const Download& download, bool zst) {
        RepodataState state;
        state.url = url_;
        state.etag = download.etag;
        state.mod = download.last_modified;
        state.cache_control = download.cache_control;
        state.refresh_ns = now_ns();
        state.has_zst = RememberedAnswer{zst, format_utc_timestamp(state.refresh_ns)};
        remember(store_repodata(paths_, text, state));
    }

    /// A cache that cannot be written costs time at the next run, not this run.
    void remember(Result<void> stored) {
        if (!stored) {
            session_.sink().note(Severity::warning, "the index of " + url_ + " is not kept: " + stored.error().message);
        }
    }

    /// The subdir's URL on each mirror, with credentials.
    std::vector<std::string> bases() const {
        std::vector<std::string> all;
        if (const auto mirrors = session_.config().mirrored_channels.find(channel_.name);
            mirrors != session_.config().mirrored_channels.end()) {
            for (const auto& mirror : mirrors->second) all.push_back(mirror + '/' + subdir_);
        }
        if (all.empty()) all.push_back(channel_.authenticated(url_));
        return all;
    }

    Session& session_;
    const Channel& channel_;
    std::string subdir_, url_;
    RepodataCachePaths paths_;
    bool from_cache_ = false;
};

} // namespace

Result<LoadedIndexes> load_indexes(Session& session, std::vector<Channel> channels, const std::string& subdir,
                                   const std::string& cache_directory) {
    LoadedIndexes loaded;
    loaded.channels = std::move(channels);
    TAIPAN_CHECK(make_directories(cache_directory));
    // The network starts here, before threads ask for it at the same time.
    const bool remote = std::any_of(loaded.channels.begin(), loaded.channels.end(),
                                    [](const Channel& channel) { return !channel.base_url.starts_with("file://"); });
    if (remote && !session.config().offline) {
        TAIPAN_TRY(Network* const network, session.network());
        static_cast<void>(network);
    }
    struct Slot {
        std::optional<Result<SubdirIndex>> index;
        int priority = 0;
    };
    std::vector<Slot> slots(loaded.channels.size() * 2);
    {
        std::vector<std::jthread> threads;
        for (std::size_t i = 0; i < loaded.channels.size(); ++i) {
            const Channel& channel = loaded.channels[i];
            for (std::size_t part = 0; part < 2; ++part) {
                const std::string wanted = part == 1 ? "noarch" : subdir;
                if ((part == 1 && subdir == "noarch") || (!channel.subdir.empty() && channel.subdir != wanted))
                    continue;
                Slot& slot = slots[i * 2 + part];
                slot.priority = static_cast<int>(loaded.channels.size() - i);
                threads.emplace_back([&session, &channel, wanted, &cache_directory, &slot] {
                    slot.index = IndexLoader(session, channel, wanted, cache_directory).load();
                });
            }
        }
    }
    for (auto& slot : slots) {
        if (!slot.index) continue;
        if (!*slot.index) return std::move(*slot.index).error();
        loaded.entries.push_back({std::move(**slot.index), slot.priority});
    }
    return loaded;
}

Result<std::vector<Candidate>> IndexCandidates::candidates(std::string_view name) {
    std::vector<Candidate> found;
    for (const auto& entry : indexes_.entries) {
        TAIPAN_TRY(auto records, entry.index.records(name));
        for (auto& record : records) found.push_back({std::move(record), entry.channel_priority});
    }
    return found;
}

std::vector<std::string> IndexCandidates::all_names() {
    std::set<std::string_view> names;
    for (const auto& entry : indexes_.entries) {
        for (const auto name : entry.index.names()) names.insert(name);
    }
    return {names.begin(), names.end()};
}

Result<std::vector<std::string>> IndexCandidates::names_matching(std::string_view glob) {
    std::vector<std::string> matching;
    for (auto& name : all_names()) {
        if (glob_matches(glob, name)) matching.push_back(std::move(name));
    }
    return matching;
}

std::vector<std::string> IndexCandidates::searched_channels() {
    std::vector<std::string> names;
    for (const auto& channel : indexes_.channels) names.push_back(channel.name);
    return names;
}

} // namespace taipan
