#include "flow/sharded_subdir.hpp"

#include <algorithm>
#include <utility>

#include "base/filesystem.hpp"
#include "model/url.hpp"
#include "repodata/base_url.hpp"

namespace taipan {

using repodata::IndexFile;

ShardedSubdir::ShardedSubdir(repodata::ShardIndex index, Channel channel, std::string subdir,
                             std::vector<TransferSource> bases, std::string cache_directory, bool use_only_tar_bz2)
    : index_(std::move(index)),
      channel_(std::move(channel)),
      subdir_(std::move(subdir)),
      url_(channel_.base_url + '/' + subdir_),
      bases_(std::move(bases)),
      cache_directory_(std::move(cache_directory)),
      use_only_tar_bz2_(use_only_tar_bz2) {}

std::vector<std::string_view> ShardedSubdir::names() const {
    std::vector<std::string_view> names;
    names.reserve(index_.shards.size());
    for (const auto& [name, hash] : index_.shards) names.push_back(name);
    return names;
}

void ShardedSubdir::expect_like(const repodata::ShardIndex& before) {
    for (const auto& [name, hash] : before.shards) {
        const auto now = index_.shards.find(name);
        if (now != index_.shards.end() && now->second != hash) before_.insert_or_assign(name, hash);
    }
}

std::vector<std::string> ShardedSubdir::expected_names(std::string_view name) const {
    const auto hash = before_.find(name);
    if (hash == before_.end()) return {};
    auto index = read_cached(name, hash->second);
    if (!index) return {};
    const auto names = index->needed_names(name);
    if (!names) return {};
    return {names->begin(), names->end()};
}

const SubdirIndex* ShardedSubdir::loaded(std::string_view name) const {
    const auto found = loaded_.find(name);
    return found == loaded_.end() ? nullptr : &found->second;
}

std::string ShardedSubdir::cache_path(std::string_view hash) const {
    return cache_directory_ + "/shards/" + std::string(hash) + (use_only_tar_bz2_ ? "1.tpi" : ".tpi");
}

Result<SubdirIndex> ShardedSubdir::index_of(std::string_view name, IndexFile file) const {
    SubdirIndex index(std::move(file), index_.info, channel_, subdir_);
    // What the cache holds is not believed either: everything is read once here.
    TAIPAN_CHECK(index.records(name));
    return index;
}

std::optional<SubdirIndex> ShardedSubdir::read_cached(std::string_view name, const std::string& hash) const {
    auto bytes = read_file(cache_path(hash), repodata::shard_limit * 4);
    if (!bytes) return std::nullopt;
    auto file = IndexFile::of_bytes(std::move(*bytes));
    if (!file || file->source().url != hash || file->name_count() > 1) return std::nullopt;
    if (file->name_count() == 1 && file->name(0) != name) return std::nullopt;
    auto index = index_of(name, std::move(*file));
    return index ? std::optional(std::move(*index)) : std::nullopt;
}

bool ShardedSubdir::load_cached(std::string_view name) {
    const auto hash = index_.shards.find(name);
    if (hash == index_.shards.end()) return false;
    auto index = read_cached(name, hash->second);
    if (index) loaded_.insert_or_assign(std::string(name), std::move(*index));
    return index.has_value();
}

/// Shards lie beside the index, unless it says otherwise. With credentials where the channel's hold.
TransferSource ShardedSubdir::shard_source(const TransferSource& base, std::string_view hash) const {
    std::string url = base.url;
    if (!index_.shards_base_url.empty()) url = repodata::resolve_reference(base.url, index_.shards_base_url);
    url.append("/").append(hash).append(".msgpack.zst");
    // A token goes to the place it was given for, not to wherever the index of shards points.
    std::string bearer = url.starts_with(base.url + '/') ? base.bearer : channel_.bearer_for(url);
    return {channel_.authenticated(url), std::move(bearer)};
}

TransferRequest ShardedSubdir::request(std::string_view name) const {
    TransferRequest request;
    const std::string& hash = index_.shards.find(name)->second;
    for (const auto& base : bases_) request.urls.push_back(shard_source(base, hash));
    request.shown_url = without_credentials(request.urls.front().url);
    request.size_limit = repodata::shard_limit;
    request.brief = request.fans_out = true;
    return request;
}

Result<void> ShardedSubdir::accept(std::string_view name, Download download) {
    const std::string& hash = index_.shards.find(name)->second;
    TAIPAN_TRY(const std::string_view body, download.body.view());
    auto bytes = repodata::index_of_shard(body, name, hash, index_.info, use_only_tar_bz2_);
    if (!bytes) {
        Error error = std::move(bytes).error();
        error.message = "The shard of " + std::string(name) + " in " + url_ + " " + error.message;
        return error;
    }
    // A cache that cannot be written costs time at the next run, not this run.
    if (make_directories(cache_directory_ + "/shards"))
        static_cast<void>(static_cast<bool>(write_file_atomic(cache_path(hash), *bytes)));
    TAIPAN_TRY(auto file, IndexFile::of_bytes(std::move(*bytes)));
    TAIPAN_TRY(auto index, index_of(name, std::move(file)));
    loaded_.insert_or_assign(std::string(name), std::move(index));
    return {};
}

} // namespace taipan
