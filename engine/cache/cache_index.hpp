#pragma once

#include <array>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include <sys/stat.h>

#include "base/filesystem.hpp"
#include "base/result.hpp"

namespace taipan {

/// What is known of an extracted package without looking into its directory.
struct KnownPackage {
    bool contained = false; ///< no path leads out of it: each symlink ends inside
    /// The texts of `info/repodata_record.json`, `info/paths.json` and, if there is one, `info/link.json`.
    std::string_view record_json, paths_json, link_json;
};

/// The same, read from the index.
struct StoredPackage {
    bool contained = false;
    std::string record_json, paths_json, link_json;
};

/// The packages of one cache that taipan has extracted or checked, in a single file. Those of other tools are not in it
/// before their first use: of them everything is read from their directories.
///
/// `<cache>/.taipan-index` is only appended to: a line for each package, "taipan 1 <inode> <ctime in ns> <1: contained>
/// <lengths of the three texts> <dist name>", the texts, and a line end. Only an installer can write there, not a
/// package. Inode and ctime are those of the package's `info`: they change when a file there is removed or replaced,
/// and no directory that somebody makes later has the same. Entries of directories that are gone do no harm.
class CacheIndex {
public:
    /// A missing or unreadable file is an empty index.
    static CacheIndex open(const std::string& cache_directory);
    /// `status` is that of the package's `info` directory.
    [[nodiscard]] std::optional<StoredPackage> find(std::string_view dist_name, const struct stat& status) const;
    /// Only its `info/repodata_record.json`.
    [[nodiscard]] std::optional<std::string> find_record(std::string_view dist_name, const struct stat& status) const;
    /// A writer was interrupted: what comes after its entry cannot be read until the index is pruned.
    [[nodiscard]] bool damaged() const { return damaged_; }

    /// Adds one; nothing in its `info`, of which `status` is, may change afterwards.
    static Result<void> add(const std::string& cache_directory, std::string_view dist_name, const struct stat& status,
                            const KnownPackage& package);
    /// Keeps only what is readable and belongs to a directory that is there.
    static Result<void> prune(const std::string& cache_directory);

private:
    struct Entry {
        std::uint64_t inode = 0;
        std::int64_t changed = 0;
        bool contained = false;
        std::array<std::size_t, 3> lengths{};        ///< of the texts
        std::uint64_t texts = 0, begin = 0, end = 0; ///< places in the file: after the line, and of the whole
    };
    static std::optional<std::pair<std::string_view, Entry>> read_line(std::string_view text, std::uint64_t place,
                                                                       std::uint64_t file_size);
    [[nodiscard]] const Entry* entry_of(std::string_view dist_name, const struct stat& status) const;
    [[nodiscard]] bool read_texts(const Entry& entry, std::initializer_list<std::string*> texts) const;

    std::shared_ptr<const UniqueFd> file_;           ///< shared by copies
    std::unordered_map<std::string, Entry> entries_; ///< by dist name; the last one counts
    bool damaged_ = false;
};

} // namespace taipan
