#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/filesystem.hpp"
#include "base/result.hpp"

namespace taipan {

/// The directories of a tree that is being written, by path below its root. Keeps a bounded number of them open
/// and remembers which exist, so that placing a file costs no path walk and no stat. Paths are clean member paths.
class DirectoryHandles {
public:
    /// `root` is borrowed and must stay open; at most `capacity` (>= 2) descriptors are held besides it.
    DirectoryHandles(int root, std::size_t capacity);

    /// The handle (O_PATH) of a directory, which is created with its parents if `create`. Valid until the next call
    /// of any method. corrupt_package when something other than a directory is in the way or a symlink leads out.
    Result<int> open(std::string_view path, bool create);
    /// Something was removed from the tree: forgets every directory that was reached through a symlink.
    void forget_links();
    /// Closes all but the most recent handle; for when the process has too many open files. False if there is none.
    bool shed();
    /// True as soon as a directory was reached through a symlink of the archive.
    [[nodiscard]] bool used_links() const { return used_links_; }

private:
    struct Hash : std::hash<std::string_view> {
        using is_transparent = void;
    };
    struct Directory {
        UniqueFd fd; ///< empty when not held
        std::uint64_t last_use = 0;
        bool through_link = false;
    };
    struct Step {
        int fd;
        bool through_link;
    };

    int held(Directory& directory);
    Result<Step> enter(Step parent, std::string_view path, const std::string& name, bool create);
    Result<UniqueFd> open_through_link(std::string_view path);
    int hold(std::string_view path, UniqueFd fd, bool through_link);
    void evict_oldest();

    int root_;
    std::size_t capacity_;
    std::unordered_map<std::string, Directory, Hash, std::equal_to<>> known_;
    std::vector<Directory*> held_; ///< those of known_ (whose nodes do not move) that are open
    std::uint64_t clock_ = 0;
    std::string last_path_; ///< a package mostly stays in one directory for a while
    int last_fd_ = -1;
    bool used_links_ = false;
};

} // namespace taipan
