#include "clean_scan.hpp"

#include <algorithm>
#include <cerrno>

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/filesystem.hpp"
#include "base/temporary_name.hpp"
#include "cache/cache_leftovers.hpp"
#include "model/record.hpp"

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
    for (const auto& name : entries_of(handle->get())) {
        struct stat status {};
        if (::fstatat(handle->get(), name.c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0) continue;
        const auto add = [&](CacheItemKind kind, bool even_if_linked) {
            const auto facts = measure(handle->get(), name, status);
            if (even_if_linked || !facts.linked)
                items.push_back({kind, directory, name, facts.bytes, facts.last_change});
        };
        if (run_of_temporary(name) > 0) {
            continue; // a leftover, or somebody is at it
        } else if (S_ISREG(status.st_mode)) {
            if (has_package_extension(name) || name.ends_with(".partial"))
                add(CacheItemKind::tarball, false);
            else if (name.ends_with(".lock") && !name.starts_with(".taipan"))
                add(CacheItemKind::lock, true);
        } else if (S_ISDIR(status.st_mode)) {
            if (name == "cache" && entries_of(handle->get(), name).empty()) continue;
            if (name == "cache")
                add(CacheItemKind::index, true);
            else if (is_directory(directory + '/' + name + "/info"))
                add(CacheItemKind::package, false);
        }
    }
    return items;
}

std::vector<CacheItem> scan_everything(const std::string& directory) {
    std::vector<CacheItem> items;
    const auto handle = open_directory(directory);
    if (!handle) return items;
    for (const auto& name : entries_of(handle->get())) {
        struct stat status {};
        if (::fstatat(handle->get(), name.c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0) continue;
        items.push_back({CacheItemKind::leftover, directory, name, measure(handle->get(), name, status).bytes, 0});
    }
    return items;
}

} // namespace taipan::cli
