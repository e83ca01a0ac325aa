#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "flow/session.hpp"

namespace taipan {

/// A folder of packages that is to be a channel.
struct IndexFolderRequest {
    std::string folder;               ///< absolute; has one folder a platform
    std::vector<std::string> subdirs; ///< only these; empty: all that are there. noarch is always one of them
    std::string base_url;             ///< of the packages, when they are not served beside the index (CEP 15)
    bool zst = true, run_exports = true;
    bool shards = false; ///< they are kept up to date anyway where they are there already
    bool strict = false; ///< any unusable package is an error, and nothing is written
    bool use_cache = true;
    std::optional<std::int64_t> source_date_epoch; ///< seconds; for what bears a date
};

struct UnusablePackage {
    std::string path; ///< `linux-64/a-1-0.conda`
    Error error;
};

/// What became of one subdir.
struct IndexedSubdir {
    std::string subdir;
    std::size_t packages = 0; ///< in the index now
    std::size_t read = 0;     ///< of these, so many archives were read, the others were known
    std::size_t gone = 0;     ///< were known, and are there no longer
    std::size_t removed = 0;  ///< taken out by patch instructions
    std::vector<UnusablePackage> unusable;
    std::vector<std::string> written; ///< files that changed, as `linux-64/repodata.json`
};

/// Writes the indexes of the folder. Each file is replaced as a whole, and only when its content is another, in an
/// order in which a reader never finds a file that names another that is not there. Fails when the folder cannot be
/// read or written, and when there are packages but none is usable.
Result<std::vector<IndexedSubdir>> index_folder(Session& session, const IndexFolderRequest& request);

} // namespace taipan
