#pragma once

#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "base/result.hpp"
#include "model/channel.hpp"
#include "model/record.hpp"
#include "model/record_json.hpp"

namespace taipan {

/// What is installed in a prefix, as conda-meta tells it.
struct PrefixData {
    std::string prefix;
    std::vector<PrefixRecord> records; ///< sorted by name
    std::vector<std::string> warnings; ///< records that were skipped, and why

    /// The record of that (lower-case) name, or nullptr.
    [[nodiscard]] const PrefixRecord* find(std::string_view name) const;
    /// The packages of all records, sorted by name.
    [[nodiscard]] std::vector<PackageRecord> packages() const;
};

/// True when `<prefix>/conda-meta/history` exists: the only thing that makes a directory an environment.
[[nodiscard]] bool is_environment(const std::string& prefix);

/// Fails with environment_not_found (no such directory) or not_an_environment.
Result<void> require_environment(const std::string& prefix);

/// Loads every record (conda-spec 4.2). With RecordDetail::identity the lists of files are not even read, which is
/// what makes `list` quick. Errors: corrupt_environment naming the unreadable file.
Result<PrefixData> load_prefix(const std::string& prefix, RecordDetail detail, const ChannelSettings& settings = {});
/// The file names of conda-meta that are records, or should be, sorted; none where there is no conda-meta.
Result<std::vector<std::string>> record_file_names(const std::string& prefix);
/// One record in full, read again from disk; for a package whose files are needed after an identity load.
Result<PrefixRecord> load_prefix_record(const std::string& prefix, const std::string& dist_name,
                                        const ChannelSettings& settings = {});

/// Those of `wanted` that the record lists as its files. Reads no more than it must, for asking many records.
Result<std::vector<std::string>> find_listed_files(const std::string& prefix, const std::string& dist_name,
                                                   const std::unordered_set<std::string>& wanted);

/// Writes `conda-meta/<dist name>.json` atomically; `conda-meta` must exist.
Result<void> write_prefix_record(const std::string& prefix, const PrefixRecord& record);
/// The same in a prefix that nobody reads yet, where no record of that name is.
Result<void> create_prefix_record(const std::string& prefix, const PrefixRecord& record);

/// Makes `<prefix>/conda-meta` with an empty `history` (when there is none) and `created_at`, so that even an
/// interrupted create is an environment. `now` in seconds since the epoch.
Result<void> create_environment(const std::string& prefix, double now);

} // namespace taipan
