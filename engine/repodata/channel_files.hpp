#pragma once

#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "repodata/channel_documents.hpp"

namespace taipan {

/// Names in a directory, sorted, without `.` and `..`.
Result<std::vector<std::string>> list_directory(const std::string& path);

/// Replaces the file atomically unless it has this content already, so that servers' validators stay what they are.
/// True: it was replaced.
Result<bool> replace_if_different(const std::string& path, std::string_view content);
/// The same for the compressed form of `text`: compressing costs much more than finding out that it is not needed.
Result<bool> replace_zst_if_different(const std::string& path, std::string_view text);

/// The folder of a subdir's shards.
class ShardFolder {
public:
    explicit ShardFolder(const std::string& subdir_directory);
    /// Writes those that are not there. Before the shard index.
    Result<void> add(const std::vector<ShardDocument>& shards);
    /// Removes shards that neither this index nor the one before names: a client may still be reading by that one.
    /// After the shard index.
    Result<void> prune(const std::vector<ShardDocument>& shards);

private:
    std::string directory_, list_;
};

} // namespace taipan
