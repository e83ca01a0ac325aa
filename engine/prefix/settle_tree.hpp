#pragma once

#include <cstdint>
#include <string>
#include <unordered_map>

#include "base/result.hpp"

namespace taipan {

/// What is known of a file that a package has brought or that was made for it.
enum class TreeFile : std::uint8_t {
    shipped, ///< has the time that the package gave it
    made,    ///< bytecode, entry points, records: has the time of the run that made it
};

struct TreeRules {
    std::int64_t moment = 0; ///< seconds since the epoch: the time of directories, symlinks and what was made
    /// Files of records, by path. In conda-meta everything counts as made.
    std::unordered_map<std::string, TreeFile> known;
    bool others = false; ///< files that no record lists get the moment too: in an environment made by this run
};

/// Gives an environment times and modes that depend on nothing but its packages: the moment to what was made here, and
/// the owner's rights, less that of writing, to everybody. A file that shares its inode with the package cache and
/// needs another mode becomes one of its own first. Symlinks are not followed.
Result<void> settle_tree(const std::string& prefix, const TreeRules& rules);

} // namespace taipan
