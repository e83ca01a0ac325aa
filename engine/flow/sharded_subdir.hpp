#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "fetch/transfer.hpp"
#include "model/channel.hpp"
#include "repodata/shard.hpp"
#include "repodata/subdir_index.hpp"

namespace taipan {

/// A subdir with sharded repodata (CEP 16): all names are known, the packages of a name once its shard is there. Not
/// thread-safe. Shards never change, so they are kept in the cache under their hash, in the form of an index file.
class ShardedSubdir {
public:
    /// `bases`: the subdir's, mirrors in order. `cache_directory`: that of the indexes.
    ShardedSubdir(repodata::ShardIndex index, Channel channel, std::string subdir, std::vector<TransferSource> bases,
                  std::string cache_directory, bool use_only_tar_bz2);

    /// The index of shards that this one replaces: what was in the cache under it says what to expect.
    void expect_like(const repodata::ShardIndex& before);
    /// What an earlier shard of this name depended on, and the new one most likely does: known before it is fetched.
    [[nodiscard]] std::vector<std::string> expected_names(std::string_view name) const;
    [[nodiscard]] bool has(std::string_view name) const { return index_.shards.contains(name); }
    [[nodiscard]] std::vector<std::string_view> names() const;
    /// The packages of a name, if its shard is there.
    [[nodiscard]] const SubdirIndex* loaded(std::string_view name) const;
    /// Takes the shard from the cache; false when it is not there, or damaged.
    bool load_cached(std::string_view name);
    /// How to fetch it.
    [[nodiscard]] TransferRequest request(std::string_view name) const;
    /// Takes what was fetched. Errors name the shard.
    Result<void> accept(std::string_view name, Download download);

private:
    [[nodiscard]] TransferSource shard_source(const TransferSource& base, std::string_view hash) const;
    [[nodiscard]] std::string cache_path(std::string_view hash) const;
    [[nodiscard]] Result<SubdirIndex> index_of(std::string_view name, repodata::IndexFile file) const;
    [[nodiscard]] std::optional<SubdirIndex> read_cached(std::string_view name, const std::string& hash) const;

    repodata::ShardIndex index_;
    Channel channel_;
    std::string subdir_, url_;
    std::vector<TransferSource> bases_;
    std::string cache_directory_;
    bool use_only_tar_bz2_;
    std::map<std::string, SubdirIndex, std::less<>> loaded_;
    std::map<std::string, std::string, std::less<>> before_; ///< name -> another hash that it had
};

} // namespace taipan
