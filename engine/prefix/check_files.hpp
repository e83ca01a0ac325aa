#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "base/digest.hpp"
#include "base/result.hpp"
#include "model/record.hpp"

namespace taipan {

/// What is not as a record says.
struct FileFindings {
    std::vector<std::string> missing;   ///< not there, or something of another kind is
    std::vector<std::string> modified;  ///< there, with other content
    std::uint64_t files = 0, bytes = 0; ///< looked at, read

    void merge(FileFindings&& other);
    [[nodiscard]] bool empty() const { return missing.empty() && modified.empty(); }
};

/// Compares installed files with their record: that they exist, their kind and size, the text of symlinks (where the
/// package lies in a cache), and the hash of their content (`sha256_in_prefix`). What a record does not tell is not
/// checked. One object is used by one thread; it keeps the buffers.
class FileChecker {
public:
    /// `root_fd` is the directory the files lie in, open for *at calls; borrowed.
    explicit FileChecker(int root_fd);

    /// Checks the items [first, last) of `checked_paths(record)`. Errors: a file that cannot be read.
    Result<FileFindings> check(const PrefixRecord& record, const std::vector<InstalledPath>& paths, std::size_t first,
                               std::size_t last);

private:
    enum class Verdict { good, missing, modified };
    Result<Verdict> check_path(const PrefixRecord& record, const InstalledPath& path);
    Result<Verdict> check_content(const InstalledPath& path, bool through_link);
    Result<std::string> hash(const std::string& path, bool through_link);
    [[nodiscard]] Verdict check_symlink(const PrefixRecord& record, const std::string& path) const;

    int root_fd_;
    Digest digest_;
    std::string buffer_;
    std::uint64_t bytes_ = 0;
};

/// The paths of a record under their names in the prefix, whichever tool wrote it: conda gives the files of noarch
/// python packages in `paths_data` as they are in the package (conda-spec 4.2). Files without an entry have just a
/// name. Unsafe paths are left out.
[[nodiscard]] std::vector<InstalledPath> checked_paths(const PrefixRecord& record);

} // namespace taipan
