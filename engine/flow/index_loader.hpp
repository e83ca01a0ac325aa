#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "fetch/transfer.hpp"
#include "flow/session.hpp"
#include "flow/sharded_subdir.hpp"
#include "model/channel.hpp"
#include "repodata/cache_state.hpp"
#include "repodata/subdir_index.hpp"

namespace taipan {

/// Gets one index, of a channel's subdir: from the cache while that is fresh, else from the server, or from a
/// directory.
class IndexLoader {
public:
    IndexLoader(Session& session, Channel channel, std::string subdir, const std::string& cache_directory);

    /// The subdir's shards, if the channel has some and nothing newer than they is in the cache; else null. Never for
    /// a channel on disk.
    Result<std::unique_ptr<ShardedSubdir>> load_shards();
    /// A platform subdir that the channel does not have is empty; without noarch it is no channel.
    Result<SubdirIndex> load();
    /// Where shards have the packages.
    [[nodiscard]] SubdirIndex without_packages() const { return SubdirIndex::empty(channel_, subdir_); }
    /// After the index turned out to be damaged while it was read.
    Result<SubdirIndex> load_again();

private:
    Result<SubdirIndex> load_or_empty();
    Result<SubdirIndex> load_once();
    Result<SubdirIndex> from_directory();
    Result<SubdirIndex> from_server();
    Result<SubdirIndex> ask_server(std::optional<RepodataState> state);
    Result<SubdirIndex> request(const std::string& file, std::optional<RepodataState> state, bool zst);
    Result<SubdirIndex> from_download(Download download, bool zst);
    Result<repodata::IndexFile> build(ByteInput& input, const std::function<Result<Download>*()>& download, bool zst);
    Result<SubdirIndex> from_file(const std::string& path, bool zst);
    Result<SubdirIndex> finish(Result<repodata::IndexFile> file);
    Result<std::string> shard_index();
    Result<std::string> ask_for_shard_index(std::optional<RepodataState> state);
    /// A request for a file of the subdir, which the server need not send if it still is what `state` tells of.
    [[nodiscard]] TransferRequest unless_unchanged(const std::string& file,
                                                   const std::optional<RepodataState>& state) const;
    /// What to remember of a file that was sent.
    [[nodiscard]] RepodataState state_after(const Download& download) const;
    [[nodiscard]] bool is_fresh_enough(const std::optional<RepodataState>& state) const;
    void forget();
    void remember(Result<void> stored);

    Session& session_;
    Channel channel_;
    std::string subdir_, url_, cache_directory_;
    RepodataCachePaths paths_, shard_paths_;
    std::optional<RememberedAnswer> has_shards_; ///< to be remembered with the json
    std::string shard_index_before_;             ///< what the cache had, where the server has a new one
    bool from_cache_ = false;
    bool no_zst_ = true; ///< as far as is known when the json is fetched
};

} // namespace taipan
