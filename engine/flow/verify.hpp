#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "flow/install.hpp"
#include "flow/session.hpp"
#include "prefix/check_files.hpp"

namespace taipan {

/// An installed package of which something is not as recorded.
struct DamagedPackage {
    PackageRecord package;
    FileFindings findings;
};

/// A file of conda-meta that is no record.
struct BrokenRecord {
    std::string file_name; ///< in conda-meta
    std::string reason;
};

struct VerifyReport {
    std::uint64_t packages = 0, files = 0, bytes = 0; ///< looked at
    std::vector<DamagedPackage> damaged;              ///< by name
    std::vector<BrokenRecord> broken_records;
    std::vector<std::string> extra; ///< files that no record lists, sorted; bytecode that python cached is not told

    [[nodiscard]] bool sound() const { return damaged.empty() && broken_records.empty(); }
};

/// Compares an environment with its records, on all workers. Changes nothing. A path of several packages is right when
/// it is as one of them has it.
Result<VerifyReport> verify_prefix(Session& session, const std::string& prefix);

/// Brings back what a report found: single files from the packages in the cache, which are checked first and fetched
/// again where they are damaged; packages with a broken record as a whole. Undone like an install when it fails.
Result<InstallReport> repair_prefix(Session& session, const std::string& prefix, const VerifyReport& report,
                                    const std::string& command_line);

} // namespace taipan
