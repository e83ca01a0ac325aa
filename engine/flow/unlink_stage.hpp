#pragma once

#include <set>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "flow/install.hpp"
#include "prefix/transaction.hpp"

namespace taipan {

/// The packages of a plan that go, as they are recorded.
struct LeavingPackages {
    std::vector<PrefixRecord> records;
    std::set<std::string> files; ///< that will be gone: all of theirs but those that are another one's
};
Result<LeavingPackages> load_leaving(const Session& session, const Plan& plan);

/// Runs the pre-unlink scripts of the packages that go, then takes their files and records out of the prefix.
Result<void> unlink_packages(Session& session, const Plan& plan, const LeavingPackages& leaving,
                             Transaction& transaction, InstallReport& report);

/// The pre-unlink scripts of everything in a prefix that is about to go as a whole.
Result<void> run_pre_unlink_scripts(Session& session, const std::string& prefix);

} // namespace taipan
