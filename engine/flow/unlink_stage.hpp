#pragma once

#include <set>
#include <string>

#include "base/result.hpp"
#include "flow/install.hpp"
#include "prefix/transaction.hpp"

namespace taipan {

/// Runs the pre-unlink scripts of the packages that go, then takes their files and records out of the prefix.
/// Returns the paths that are free now, relative to the prefix.
Result<std::set<std::string>> unlink_packages(Session& session, const Plan& plan, Transaction& transaction,
                                              InstallReport& report);

/// The pre-unlink scripts of everything in a prefix that is about to go as a whole.
Result<void> run_pre_unlink_scripts(Session& session, const std::string& prefix);

} // namespace taipan
