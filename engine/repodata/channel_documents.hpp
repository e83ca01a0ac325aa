#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "repodata/channel_package.hpp"

namespace taipan {

/// What all documents of one subdir are made of.
struct ChannelSubdir {
    std::string subdir;
    ChannelPackages packages;
    std::set<std::string> removed; ///< file names that patch instructions took out
    /// Where the packages of the whole channel lie when that is not beside the index (CEP 15); without subdir.
    std::string base_url;
};

/// repodata.json: one line a record, sorted.
[[nodiscard]] std::string repodata_document(const ChannelSubdir& subdir);
/// run_exports.json (CEP 12).
[[nodiscard]] std::string run_exports_document(const ChannelSubdir& subdir);

/// Sharded repodata (CEP 16): one file a package name, named after its own content.
struct ShardDocument {
    std::string name;    ///< of the package
    std::string sha256;  ///< of `content`, hex
    std::string content; ///< msgpack, compressed
};
/// One shard for each name, sorted by name. CPU work for the caller to spread: see make_shard.
[[nodiscard]] std::vector<std::string> shard_names(const ChannelSubdir& subdir);
Result<ShardDocument> make_shard(const ChannelSubdir& subdir, std::string_view name);
/// repodata_shards.msgpack.zst over these shards, which lie in the folder `shards` beside it. `created_at` is RFC 3339.
Result<std::string> shard_index_document(const ChannelSubdir& subdir, const std::vector<ShardDocument>& shards,
                                         std::string_view created_at);

inline constexpr std::string_view shards_folder = "shards";
inline constexpr std::string_view shard_index_name = "repodata_shards.msgpack.zst";

} // namespace taipan
