#include "repodata/channel_files.hpp"

#include <algorithm>
#include <cerrno>
#include <memory>

#include <dirent.h>
#include <sys/stat.h>

#include "base/filesystem.hpp"
#include "repodata/zstd_compress.hpp"
#include "repodata/zstd_text.hpp"

namespace taipan {
namespace {

/// What channels use for repodata.json.zst; a higher level gains nothing on such texts. One frame cannot be made by
/// several threads (Debian's library has none), so a giant index gets less effort: it would take a minute.
constexpr int repodata_level = 16, giant_level = 9;
constexpr std::size_t giant = std::size_t{64} << 20;
constexpr std::string_view shard_extension = ".msgpack.zst";
constexpr std::size_t hex_digits = 64;

struct CloseDirectory {
    void operator()(DIR* directory) const { ::closedir(directory); }
};

bool is_shard(std::string_view name) {
    return name.size() == hex_digits + shard_extension.size() && name.ends_with(shard_extension) &&
           name.find_first_not_of("0123456789abcdef") == hex_digits;
}

std::string shard_file(const ShardDocument& shard) { return shard.sha256 + std::string(shard_extension); }

} // namespace

Result<std::vector<std::string>> list_directory(const std::string& path) {
    const std::unique_ptr<DIR, CloseDirectory> directory(::opendir(path.c_str()));
    if (!directory) return system_error(errno, "cannot list", path);
    std::vector<std::string> names;
    while (true) {
        errno = 0;
        const dirent* const entry = ::readdir(directory.get()); // NOLINT(concurrency-mt-unsafe): own stream
        if (entry == nullptr) break;
        const std::string_view name(entry->d_name);
        if (name != "." && name != "..") names.emplace_back(name);
    }
    if (errno != 0) return system_error(errno, "cannot list", path);
    std::sort(names.begin(), names.end());
    return names;
}

Result<bool> replace_if_different(const std::string& path, std::string_view content) {
    struct stat status {};
    if (::stat(path.c_str(), &status) == 0 && static_cast<std::uint64_t>(status.st_size) == content.size()) {
        TAIPAN_TRY(const std::string before, read_file(path));
        if (before == content) return false;
    }
    TAIPAN_CHECK(write_file_atomic(path, content));
    return true;
}

Result<bool> replace_zst_if_different(const std::string& path, std::string_view text) {
    if (exists(path)) {
        TAIPAN_TRY(const std::string packed, read_file(path));
        const auto before = decompress_zst(packed, text.size());
        if (before && *before == text) return false;
    }
    TAIPAN_TRY(const std::string packed, compress_zst(text, text.size() < giant ? repodata_level : giant_level));
    TAIPAN_CHECK(write_file_atomic(path, packed));
    return true;
}

ShardFolder::ShardFolder(const std::string& subdir_directory)
    : directory_(subdir_directory + '/' + std::string(shards_folder)),
      list_(subdir_directory + "/.cache/taipan-shards.txt") {}

Result<void> ShardFolder::add(const std::vector<ShardDocument>& shards) {
    TAIPAN_CHECK(make_directories(directory_));
    for (const auto& shard : shards) {
        const std::string path = directory_ + '/' + shard_file(shard);
        struct stat status {};
        const bool there =
            ::stat(path.c_str(), &status) == 0 && static_cast<std::uint64_t>(status.st_size) == shard.content.size();
        if (!there) TAIPAN_CHECK(write_file_atomic(path, shard.content));
    }
    return {};
}

Result<void> ShardFolder::prune(const std::vector<ShardDocument>& shards) {
    std::string list;
    for (const auto& shard : shards) list += shard_file(shard) + '\n';
    std::set<std::string, std::less<>> kept;
    const auto keep = [&](std::string_view text) {
        while (!text.empty()) {
            const auto end = std::min(text.find('\n'), text.size());
            kept.emplace(text.substr(0, end));
            text.remove_prefix(std::min(end + 1, text.size()));
        }
    };
    keep(list);
    if (exists(list_)) {
        TAIPAN_TRY(const std::string before, read_file(list_));
        keep(before);
    }
    TAIPAN_TRY(const auto names, list_directory(directory_));
    for (const auto& name : names)
        if (is_shard(name) && !kept.contains(name)) TAIPAN_CHECK(remove_tree(directory_ + '/' + name));
    return write_file_atomic(list_, list);
}

} // namespace taipan
