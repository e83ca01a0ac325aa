#pragma once

#include <atomic>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_set>

namespace taipan {

/// The directories of a prefix that this run made itself, below others of that kind. No symlink is on the way to them,
/// so that what belongs there can be made by its path from the prefix, without looking for one first. Holds while
/// nothing is removed from the prefix. Thread-safe.
class MadeDirectories {
public:
    /// The prefix itself, "", is always known.
    [[nodiscard]] bool contains(std::string_view directory) const {
        if (directory.empty()) return true;
        const std::scoped_lock guard(mutex_);
        return directories_.contains(directory);
    }
    /// `directory` was made by the caller, and its parent is contained.
    void add(std::string_view directory) {
        const std::scoped_lock guard(mutex_);
        directories_.emplace(directory);
    }

    /// From here on nothing is known.
    void clear() {
        const std::scoped_lock guard(mutex_);
        directories_.clear();
    }

    /// Where a directory was to be made there was a symlink to one, which now stands for it.
    void met_symlink() { met_symlink_.store(true); }
    [[nodiscard]] bool has_met_symlink() const { return met_symlink_.load(); }

private:
    struct Hash {
        using is_transparent = void;
        std::size_t operator()(std::string_view text) const { return std::hash<std::string_view>()(text); }
    };
    mutable std::mutex mutex_;
    std::unordered_set<std::string, Hash, std::equal_to<>> directories_;
    std::atomic<bool> met_symlink_{false};
};

} // namespace taipan
