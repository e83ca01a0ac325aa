#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "repodata/index_file.hpp"

/// Sharded repodata (CEP 16): one file says which names there are, and under which hash the packages of each lie.
namespace taipan::repodata {

inline constexpr std::uint64_t shard_index_limit = std::uint64_t{128} << 20; ///< bytes, compressed or not
inline constexpr std::uint64_t shard_limit = std::uint64_t{64} << 20;        ///< bytes of a shard, compressed or not

/// The content of `repodata_shards.msgpack.zst`.
struct ShardIndex {
    IndexInfo info;
    std::string shards_base_url;                            ///< as written; empty: beside the index
    std::map<std::string, std::string, std::less<>> shards; ///< name (lower case) -> sha256, hex
};

/// Fails with ErrorCode::parse on anything but a shard index of version 1.
Result<ShardIndex> parse_shard_index(std::string_view zst);
/// The same, inflated.
Result<ShardIndex> parse_shard_index_content(std::string_view bytes);

/// Makes an index file with a single name out of a shard, which is that of `name` and has this sha256. Fails with
/// ErrorCode::checksum_mismatch when the bytes are others, with ErrorCode::parse when they are no shard.
Result<std::string> index_of_shard(std::string_view zst, std::string_view name, std::string_view sha256,
                                   const IndexInfo& info, bool use_only_tar_bz2);

/// The same of inflated bytes, without looking at the sha256.
Result<std::string> index_of_shard_content(std::string_view bytes, std::string_view name, std::string_view sha256,
                                           const IndexInfo& info, bool use_only_tar_bz2);

} // namespace taipan::repodata
