#pragma once

#include <string>
#include <unordered_set>
#include <vector>

#include "base/result.hpp"

namespace taipan {

/// The files and symlinks of an environment that are in no record: what pip, scripts and people have put there, sorted.
/// `owned` are the files of all records. As in conda, what belongs to an installation and not to an environment is left
/// out (package cache, other environments, conda-meta), and so are backups (`~`) and the bytecode that python has
/// cached of owned sources. `besides`, if not empty, is a directory (absolute) that is not looked into.
Result<std::vector<std::string>> untracked_files(const std::string& prefix,
                                                 const std::unordered_set<std::string>& owned,
                                                 const std::string& besides = {});

} // namespace taipan
