// "It exists, but only for macOS": what neither a search of this platform's index nor a typo explains.
//
// The answer is worth little effort: an index that is in the cache is asked, a channel on disk is read, and a server is
// asked for the indexes of the common platforms if they are small. Whatever goes wrong means that nothing is known.
#include "flow/other_platforms.hpp"

#include <algorithm>
#include <array>
#include <string_view>
#include <thread>
#include <utility>

#include <sys/stat.h>

#include "flow/index_loader.hpp"
#include "flow/network.hpp"
#include "flow/plan_channels.hpp"
#include "repodata/cache_state.hpp"
#include "repodata/index_file.hpp"
#include "repodata/shard.hpp"
#include "repodata/zstd_text.hpp"

namespace taipan {

namespace {

constexpr std::array<std::string_view, 6> common_platforms = {"linux-64",  "linux-aarch64", "osx-64",
                                                              "osx-arm64", "win-64",        "linux-ppc64le"};

/// So much is fetched of one platform: some thousands of packages, or the names of the largest channels. And so much is
/// inflated, or read from a disk.
constexpr std::uint64_t small_index = 1U << 20U, small_shard_index = 2U << 20U, small_text = 32U << 20U;

bool is_small_file(const std::string& path) {
    struct stat status {};
    return ::stat(path.c_str(), &status) == 0 && static_cast<std::uint64_t>(status.st_size) <= small_text;
}

Result<std::string> fetch_small(Session& session, const Channel& channel, const std::string& url, std::uint64_t limit) {
    TAIPAN_TRY(Network* const network, session.network());
    TransferRequest transfer;
    transfer.urls = sources_of(channel, url, session.config());
    transfer.shown_url = url;
    transfer.size_limit = limit;
    transfer.brief = true;
    TAIPAN_TRY(Download download, network->fetch(std::move(transfer)));
    return download.body.take_text();
}

Result<std::string> fetch_repodata(Session& session, const Channel& channel, const std::string& subdir_url) {
    if (session.config().repodata_use_zst) {
        auto zst = fetch_small(session, channel, subdir_url + "/repodata.json.zst", small_index);
        if (zst) return decompress_zst(*zst, small_text);
    }
    return fetch_small(session, channel, subdir_url + "/repodata.json", small_index);
}

} // namespace

void OtherPlatforms::look_at(Session& session, const Searched& searched, const std::string& cache_directory,
                             Known& known) {
    const Channel& channel = searched.channel;
    const std::string url = channel.base_url + '/' + known.subdir;
    const auto paths =
        repodata_cache_paths(cache_directory, repodata_cache_key(channel.authenticated(url), "repodata.json",
                                                                 session.config().use_only_tar_bz2));
    if (auto file = repodata::IndexFile::open(paths.index); file && file->source().url == url) {
        known.index.emplace(std::move(*file), channel, known.subdir);
        return;
    }
    if (url.starts_with("file://")) {
        if (!is_small_file(path_of_file_url(url) + "/repodata.json")) return;
        if (auto index = IndexLoader(session, channel, known.subdir, cache_directory).load())
            known.index = std::move(*index);
        return;
    }
    if (session.config().offline) return;
    if (searched.sharded) {
        const auto bytes = fetch_small(session, channel, url + "/repodata_shards.msgpack.zst", small_shard_index);
        if (!bytes) return;
        if (const auto shards = repodata::parse_shard_index(*bytes))
            for (const auto& [name, hash] : shards->shards) known.names.insert(name);
        return;
    }
    const auto text = fetch_repodata(session, channel, url);
    if (!text) return;
    if (auto index = SubdirIndex::parse(*text, channel, known.subdir)) known.index = std::move(*index);
}

OtherPlatforms OtherPlatforms::look(Session& session, const std::vector<Searched>& channels, const std::string& subdir,
                                    const std::string& cache_directory) {
    OtherPlatforms others;
    std::vector<const Searched*> asked;
    for (const Searched& searched : channels) {
        if (!searched.channel.subdir.empty()) continue; // one platform of it was named
        for (const std::string_view platform : common_platforms) {
            if (platform == subdir) continue;
            others.known_.push_back({std::string(platform), std::nullopt, {}});
            asked.push_back(&searched);
        }
    }
    // The network starts here, before threads ask for it at the same time.
    if (!session.config().offline) static_cast<void>(static_cast<bool>(session.network()));
    std::vector<std::jthread> threads;
    for (std::size_t i = 0; i < asked.size(); ++i)
        threads.emplace_back([&, i] { look_at(session, *asked[i], cache_directory, others.known_[i]); });
    threads.clear(); // joins
    return others;
}

std::vector<std::string> OtherPlatforms::with(const MatchSpec& spec) const {
    std::vector<std::string> platforms;
    if (!spec.has_exact_name()) return platforms;
    for (const Known& known : known_) {
        bool has = spec.is_name_only() && known.names.contains(spec.name());
        if (known.index) {
            const auto records = known.index->records(spec.name());
            has = records && std::any_of(records->begin(), records->end(),
                                         [&](const PackageRecord& record) { return spec.matches(record); });
        }
        if (has) platforms.push_back(known.subdir);
    }
    std::sort(platforms.begin(), platforms.end());
    platforms.erase(std::unique(platforms.begin(), platforms.end()), platforms.end());
    return platforms;
}

} // namespace taipan
