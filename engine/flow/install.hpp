#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "flow/plan.hpp"
#include "flow/session.hpp"

namespace taipan {

/// What was done, for the closing lines and for `--timings`.
struct InstallReport {
    std::uint64_t fetched_packages = 0, fetched_bytes = 0;
    std::uint64_t extracted_packages = 0, extracted_files = 0;
    std::uint64_t linked_packages = 0, linked_files = 0;
    std::uint64_t compiled_files = 0;
    std::uint64_t left_out_files = 0, left_out_bytes = 0; ///< by `slim` of the configuration
    std::string link_mode; ///< "hard link", "reflink", "copy" or "soft link", with the reason for the others
    std::vector<std::string> messages; ///< what link scripts left in .messages.txt, and warnings
};

/// Carries a plan out: fetch, verify, extract, link, run link scripts, compile, record. On any error or stop the
/// prefix is as it was before (a new one is gone) and the cache holds only whole, verified packages.
Result<InstallReport> apply_plan(Session& session, const Plan& plan);

/// Removes an environment: runs pre-unlink scripts, deletes the whole prefix and unregisters it.
Result<void> remove_environment(Session& session, const std::string& prefix);

} // namespace taipan
