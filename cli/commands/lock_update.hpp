#pragma once

#include <string>
#include <vector>

#include "config/environment_file.hpp"
#include "flow/plan.hpp"

namespace taipan::cli {

/// What a lock file's text has for one platform, all categories.
Result<std::vector<PackageRecord>> locked_records(const std::string& text, const std::string& path,
                                                  RequestFileContext context);

/// The same packages with those named in `wish.specs` updated, and others only as far as that makes it necessary, in
/// dependency order. The solver starts from an environment that has the locked packages, made of records alone in a
/// temporary directory; `requests` is what holds for the whole of it.
Result<std::vector<PackageRecord>> updated_lock(Session& session, const std::vector<PackageRecord>& locked,
                                                InstallRequest wish, const std::vector<std::string>& requests);

} // namespace taipan::cli
