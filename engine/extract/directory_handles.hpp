#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>

#include "base/filesystem.hpp"
#include "base/result.hpp"

namespace taipan {

/// The directories of a tree that were made as such, not reached through symlinks. What is written below them can be
/// named by its path from the root. Thread-safe: the writers of one tree share it.
class RealDirectories {
public:
    [[nodiscard]] bool contains(std::string_view path) const {
        const std::scoped_lock guard(mutex_);
        return paths_.contains(path);
    }
    void add(std::string_view path) {
        const std::scoped_lock guard(mutex_);
        paths_.emplace(path);
    }

private:
    struct Hash : std::hash<std::string_view> {
        using is_transparent = void;
    };
    mutable std::mutex mutex_;
    std::unordered_set<std::string, Hash, std::equal_to<>> paths_;
};

/// Finds, or makes, the directories of a tree that is being written, so that placing a file costs neither a stat nor a
/// descriptor. Only directories that are reached through symlinks of the archive are held open, a bounded number of
/// them. Paths are clean member paths.
class DirectoryHandles {
public:
    /// `root` is borrowed and must stay open, `real` outlives this; at most `capacity` (>= 2) descriptors are held.
    DirectoryHandles(int root, std::size_t capacity, RealDirectories& real);

    /// Where a member belongs: a directory handle, and the way from there, which is the end of the member's path.
    struct Place {
        int directory;
        const char* name;
    };
    /// For `path`, which must outlive the place; its directory is created with its parents if `create`. Valid until the
    /// next call of any method. corrupt_package when something other than a directory is in the way or a symlink leads
    /// out.
    Result<Place> locate(const std::string& path, bool create);
    /// Makes the directory itself.
    Result<void> create(std::string_view path);
    /// Something was removed from the tree: forgets every directory that was reached through a symlink.
    void forget_links();
    /// Closes all but the most recent handle; for when the process has too many open files. False if there is none.
    bool shed();
    /// True as soon as a directory was reached through a symlink of the archive.
    [[nodiscard]] bool used_links() const { return used_links_; }
    [[nodiscard]] int root() const { return root_; }

private:
    struct Hash : std::hash<std::string_view> {
        using is_transparent = void;
    };
    struct Held {
        UniqueFd fd;
        std::uint64_t last_use = 0;
    };

    Result<int> open(std::string_view path, bool create);
    Result<int> enter(int parent, std::string_view path, const std::string& name, bool create);
    Result<UniqueFd> open_through_link(std::string_view path);
    int hold(std::string_view path, UniqueFd fd);
    void evict_oldest();

    int root_;
    std::size_t capacity_;
    RealDirectories& real_;
    std::unordered_map<std::string, Held, Hash, std::equal_to<>> held_; ///< reached through symlinks
    std::uint64_t clock_ = 0;
    std::string last_real_; ///< a package mostly stays in one directory for a while
    bool used_links_ = false;
};

} // namespace taipan
