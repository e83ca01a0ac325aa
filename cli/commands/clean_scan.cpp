#include "commands/clean_scan.hpp"

#include <algorithm>
#include <filesystem>

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/filesystem.hpp"
#include "base/temporary_name.hpp"
#include "cache/cache_leftovers.hpp"
#include "model/record.hpp"
#include "prefix/journal.hpp"

// What of a package cache nobody needs. A package counts as used while any of its files has a second hard link, since
// that link is in an environment; copies do not depend on the cache, so copied packages count as unused (as in conda).

namespace taipan::cli {

namespace {

/// The names in `name` below an open directory; none when it cannot be read.
std::vector<std::string> entries_of(int directory, const std::string& name = ".") {
    std::vector<std::string> names;
    const int copy = ::openat(directory, name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    DIR* stream = copy < 0 ? nullptr : ::fdopendir(copy);
    if (stream == nullptr) {
        if (copy >= 0) ::close(copy);
        return names;
    }
    while (const dirent* entry = ::readdir(stream)) {
        const std::string_view found(entry->d_name);
        if (found != "." && found != "..") names.emplace_back(found);
    }
    static_cast<void>(::closedir(stream));
    std::sort(names.begin(), names.end());
    return names;
}

/// What a tree weighs, and whether any of its files has other links.
struct TreeFacts {
    std::uint64_t bytes = 0;
    bool linked = false;
    std::time_t last_change = 0; ///< latest ctime of a file: linking and unlinking count
};

void measure(int directory, TreeFacts& facts) {
    for (const auto& name : entries_of(directory)) {
        struct stat status {};
        if (::fstatat(directory, name.c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0) continue;
        if (S_ISDIR(status.st_mode)) {
            const UniqueFd child(::openat(directory, name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
            if (child) measure(child.get(), facts);
        } else {
            facts.bytes += static_cast<std::uint64_t>(status.st_size);
            facts.last_change = std::max(facts.last_change, status.st_ctim.tv_sec);
            facts.linked = facts.linked || (S_ISREG(status.st_mode) && status.st_nlink > 1);
        }
    }
}

TreeFacts measure(int directory, const std::string& name, const struct stat& status) {
    if (!S_ISDIR(status.st_mode)) {
        return {static_cast<std::uint64_t>(status.st_size), S_ISREG(status.st_mode) && status.st_nlink > 1,
                status.st_ctim.tv_sec};
    }
    TreeFacts facts;
    const UniqueFd child(::openat(directory, name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    if (child) measure(child.get(), facts);
    return facts;
}

/// Names of the folders at the top that mamba makes of URLs.
bool is_scheme(std::string_view name) {
    return name == "https" || name == "http" || name == "file" || name == "s3" || name == "oci" || name == "ftp";
}

/// Bytecode that is kept for packages, an item for each package and interpreter.
void scan_bytecode(int cache, const std::string& directory, std::vector<CacheItem>& items) {
    const std::string top = ".taipan-pyc";
    for (const auto& interpreter : entries_of(cache, top)) {
        for (const auto& entry : entries_of(cache, top + '/' + interpreter)) {
            const std::string name = top + '/' + interpreter + '/' + entry;
            if (run_of_temporary(entry) > 0) continue;
            struct stat status {};
            if (::fstatat(cache, name.c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0) continue;
            const auto facts = measure(cache, name, status);
            if (!facts.linked)
                items.push_back({CacheItemKind::package, directory, name, facts.bytes, facts.last_change});
        }
    }
}

/// Adds the packages in one folder of the cache: its top ("") or one that mamba keeps for a channel, and what else is
/// at the top.
void scan_folder(int cache, const std::string& directory, const std::string& below, int depth,
                 std::vector<CacheItem>& items) {
    constexpr int deepest_channel = 16;
    for (const auto& entry : entries_of(cache, below.empty() ? "." : below)) {
        const std::string name = below.empty() ? entry : below + '/' + entry;
        struct stat status {};
        if (run_of_temporary(entry) > 0) continue; // a leftover, or somebody is at it
        if (::fstatat(cache, name.c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0) continue;
        const auto add = [&](CacheItemKind kind, bool even_if_linked) {
            const auto facts = measure(cache, name, status);
            if (even_if_linked || !facts.linked)
                items.push_back({kind, directory, name, facts.bytes, facts.last_change});
        };
        if (S_ISREG(status.st_mode)) {
            if (has_package_extension(entry) || entry.ends_with(".partial"))
                add(CacheItemKind::tarball, false);
            else if (entry.ends_with(".lock") && !entry.starts_with(".taipan"))
                add(CacheItemKind::lock, true);
        } else if (S_ISDIR(status.st_mode)) {
            if (name == "cache") {
                if (!entries_of(cache, name).empty()) add(CacheItemKind::index, true);
            } else if (name == ".logs") {
                for (const auto& log : entries_of(cache, name))
                    items.push_back({CacheItemKind::log, directory, name + '/' + log, 0, 0});
            } else if (is_directory(directory + '/' + name + "/info")) {
                add(CacheItemKind::package, false);
            } else if ((depth > 0 || is_scheme(entry)) && depth < deepest_channel) {
                scan_folder(cache, directory, name, depth + 1, items);
            }
        }
    }
}

/// Image layers that are kept, of which no image has a hard link: a description and the layer each.
void scan_layers(int cache, const std::string& directory, std::vector<CacheItem>& items) {
    const std::string top = ".taipan-layers", ending = ".layer";
    for (const auto& entry : entries_of(cache, top)) {
        const std::string layer = top + '/' + entry;
        struct stat status {};
        if (!entry.ends_with(ending) || run_of_temporary(entry) > 0) continue;
        if (::fstatat(cache, layer.c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0) continue;
        const auto facts = measure(cache, layer, status);
        if (facts.linked) continue;
        items.push_back({CacheItemKind::package, directory, layer, facts.bytes, facts.last_change});
        const std::string description = layer.substr(0, layer.size() - ending.size());
        if (::fstatat(cache, description.c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0) continue;
        items.push_back({CacheItemKind::package, directory, description, measure(cache, description, status).bytes,
                         facts.last_change});
    }
}

} // namespace

std::vector<CacheItem> scan_cache(const std::string& directory, std::time_t now) {
    std::vector<CacheItem> items;
    const auto handle = open_directory(directory);
    if (!handle) return items;
    for (const auto& name : find_leftovers(directory, RunLocks(directory), now)) {
        struct stat status {};
        if (::fstatat(handle->get(), name.c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0) continue;
        items.push_back({CacheItemKind::leftover, directory, name, measure(handle->get(), name, status).bytes, 0});
    }
    scan_bytecode(handle->get(), directory, items);
    scan_layers(handle->get(), directory, items);
    scan_folder(handle->get(), directory, "", 0, items);
    return items;
}

CacheItem whole_cache(const std::string& directory) {
    CacheItem item{CacheItemKind::cache, std::string(parent_path(directory)), std::string(base_name(directory)), 0, 0};
    if (const auto handle = open_directory(directory)) {
        TreeFacts facts;
        measure(handle->get(), facts);
        item.bytes = facts.bytes;
    }
    return item;
}

std::vector<CacheItem> scan_tempfiles(const std::string& prefix) {
    namespace fs = std::filesystem;
    const auto is_temporary = [](const std::string& name) {
        return name.ends_with(".c~") || name.ends_with(".trash") || name.find(".conda_trash") != std::string::npos ||
               name.ends_with(".mamba_trash");
    };
    std::vector<CacheItem> items;
    if (exists(prefix + '/' + trash_directory)) return items;
    std::error_code error;
    for (fs::recursive_directory_iterator entry(prefix, fs::directory_options::skip_permission_denied, error), end;
         !error && entry != end; entry.increment(error)) {
        const std::string path = entry->path().string();
        struct stat status {};
        if (::lstat(path.c_str(), &status) != 0) continue;
        if (S_ISDIR(status.st_mode)) {
            if (exists(path + '/' + trash_directory)) entry.disable_recursion_pending();
        } else if (is_temporary(path)) {
            items.push_back({CacheItemKind::leftover, std::string(parent_path(path)), std::string(base_name(path)),
                             static_cast<std::uint64_t>(status.st_size), status.st_ctim.tv_sec});
        }
    }
    std::sort(items.begin(), items.end(), [](const CacheItem& a, const CacheItem& b) { return a.path() < b.path(); });
    return items;
}

} // namespace taipan::cli
