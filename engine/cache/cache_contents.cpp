// What is in a cache directory, told from names alone: the layout is conda's (conda-spec 2.2), `.taipan-pyc` and
// `cache/shards` are ours. A directory is a package when it has `info/index.json` (so is it for conda).

#include "cache/cache_contents.hpp"

#include <algorithm>
#include <array>
#include <map>

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/filesystem.hpp"

namespace taipan {

namespace {

constexpr std::string_view bytecode_folder = ".taipan-pyc/", index_folder = "cache/", shards_folder = "cache/shards/";
/// Digits of a package's hash at the end of its bytecode's name.
constexpr std::size_t bytecode_hash_digits = 16;

/// The names in a directory, sorted; none when it cannot be read. What begins with a dot is ours, and none of these.
std::vector<std::string> names_in(const std::string& directory) {
    std::vector<std::string> names;
    DIR* const stream = ::opendir(directory.c_str());
    if (stream == nullptr) return names;
    while (const dirent* entry = ::readdir(stream)) { // NOLINT(concurrency-mt-unsafe): own stream
        if (entry->d_name[0] != '.') names.emplace_back(entry->d_name);
    }
    ::closedir(stream);
    std::sort(names.begin(), names.end());
    return names;
}

bool is_component(std::string_view name) {
    return is_safe_relative_path(name) && name.find('/') == std::string_view::npos && !name.starts_with('.');
}

bool is_regular(const std::string& path, off_t least_bytes = 0) {
    struct stat status {};
    return ::lstat(path.c_str(), &status) == 0 && S_ISREG(status.st_mode) && status.st_size >= least_bytes;
}

/// Not of a writer that is at it, of any tool.
bool is_index_file(std::string_view name) {
    return is_component(name) && (name.ends_with(".json") || name.ends_with(".tpi"));
}

bool has_two_components(std::string_view path) {
    const std::size_t slash = path.find('/');
    return slash != std::string_view::npos && is_component(path.substr(0, slash)) &&
           is_component(path.substr(slash + 1));
}

/// Names that a file has in an entry, and in all.
struct Names {
    nlink_t here = 0, all = 0;
};
using NamesByInode = std::map<ino_t, Names>;

void measure_tree(int parent, const char* name, EntrySize& size, NamesByInode& shared) {
    struct stat status {};
    if (::fstatat(parent, name, &status, AT_SYMLINK_NOFOLLOW) != 0) return;
    if (!S_ISDIR(status.st_mode)) {
        ++size.files;
        size.bytes += static_cast<std::uint64_t>(status.st_size);
        if (S_ISREG(status.st_mode) && status.st_nlink > 1) {
            Names& names = shared[status.st_ino];
            ++names.here;
            names.all = status.st_nlink;
        }
        size.last_change = std::max(size.last_change, status.st_ctim.tv_sec);
        return;
    }
    const int fd = ::openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    DIR* const stream = fd < 0 ? nullptr : ::fdopendir(fd);
    if (stream == nullptr) {
        if (fd >= 0) ::close(fd);
        return;
    }
    while (const dirent* entry = ::readdir(stream)) { // NOLINT(concurrency-mt-unsafe): own stream
        const std::string_view found(entry->d_name);
        if (found != "." && found != "..") measure_tree(fd, entry->d_name, size, shared);
    }
    ::closedir(stream);
}

} // namespace

std::string_view to_string(CacheEntryKind kind) {
    constexpr std::array<std::string_view, cache_entry_kinds> words{"archive", "package", "bytecode", "index"};
    return words[static_cast<std::size_t>(kind)];
}

bool is_entry_name(CacheEntryKind kind, std::string_view name) {
    switch (kind) {
    case CacheEntryKind::archive: return is_component(name) && split_package_filename(name).has_value();
    case CacheEntryKind::package:
        return is_component(name) && !has_package_extension(name) && split_dist_name(name).has_value();
    case CacheEntryKind::bytecode:
        return name.starts_with(bytecode_folder) && has_two_components(name.substr(bytecode_folder.size()));
    case CacheEntryKind::index:
        if (name.starts_with(shards_folder)) return is_index_file(name.substr(shards_folder.size()));
        return name.starts_with(index_folder) && is_index_file(name.substr(index_folder.size()));
    }
    return false;
}

std::vector<CacheEntry> list_cache(const std::string& cache_directory) {
    std::vector<CacheEntry> archives, others;
    const auto add = [](std::vector<CacheEntry>& entries, CacheEntryKind kind, std::string name) {
        if (is_entry_name(kind, name)) entries.push_back({kind, std::move(name)});
    };
    for (auto& name : names_in(cache_directory)) {
        const std::string path = cache_directory + '/' + name;
        if (has_package_extension(name)) {
            if (is_regular(path)) add(archives, CacheEntryKind::archive, std::move(name));
        } else if (is_regular(path + "/info/index.json")) {
            add(others, CacheEntryKind::package, std::move(name));
        }
    }
    const std::string pyc(bytecode_folder), index(index_folder), shards(shards_folder);
    for (const auto& interpreter : names_in(cache_directory + '/' + pyc)) {
        for (const auto& name : names_in(cache_directory + '/' + pyc + interpreter))
            add(others, CacheEntryKind::bytecode, pyc + interpreter + '/' + name);
    }
    for (const auto& folder : {index, shards}) {
        for (const auto& name : names_in(cache_directory + '/' + folder)) {
            // An empty one is no more than the lock of its index.
            if (is_regular(cache_directory + '/' + folder + name, 1)) add(others, CacheEntryKind::index, folder + name);
        }
    }
    archives.insert(archives.end(), std::make_move_iterator(others.begin()), std::make_move_iterator(others.end()));
    return archives;
}

EntrySize measure_entry(const std::string& cache_directory, const CacheEntry& entry) {
    EntrySize size;
    NamesByInode shared;
    measure_tree(AT_FDCWD, (cache_directory + '/' + entry.name).c_str(), size, shared);
    // A package may have hard links of its own.
    size.linked =
        std::any_of(shared.begin(), shared.end(), [](const auto& file) { return file.second.here < file.second.all; });
    return size;
}

void NeededEntries::add(const PackageRecord& record) {
    const std::string dist_name = record.dist_name();
    const std::string& hash = record.sha256.empty() ? record.md5 : record.sha256;
    archives_.insert(record.fn);
    packages_.insert(dist_name);
    if (!hash.empty()) bytecode_.insert(dist_name + '-' + hash.substr(0, bytecode_hash_digits));
}

bool NeededEntries::wants(const CacheEntry& entry) const {
    const std::string_view name = entry.name;
    switch (entry.kind) {
    case CacheEntryKind::archive: return archives_.contains(name);
    case CacheEntryKind::package: return packages_.contains(name);
    case CacheEntryKind::bytecode: {
        const std::string_view rest = name.substr(bytecode_folder.size());
        const std::size_t slash = rest.find('/');
        return packages_.contains(rest.substr(0, slash)) && bytecode_.contains(rest.substr(slash + 1));
    }
    case CacheEntryKind::index: {
        if (name.starts_with(shards_folder)) return !index_keys_.empty();
        const std::string_view file = name.substr(index_folder.size());
        return index_keys_.contains(file.substr(0, file.find('.')));
    }
    }
    return false;
}

} // namespace taipan
