#pragma once

#include <string>

#include "model/record.hpp"

namespace taipan {

/// A package that a lock file names: all that is needed to install it without an index.
struct LockedPackage {
    std::string url;       ///< with variables expanded; may carry credentials, so it is never shown
    PackageRecord record;  ///< name, version, hashes and what else the file tells; without `url` and `channel`
    bool complete = false; ///< `depends` and `constrains` are all there are; else the package's own info counts
};

} // namespace taipan
