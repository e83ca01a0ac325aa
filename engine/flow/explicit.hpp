#pragma once

#include <vector>

#include "base/result.hpp"
#include "cache/package_cache.hpp"
#include "flow/plan.hpp"
#include "flow/session.hpp"
#include "model/match_spec.hpp"

namespace taipan {

/// Plans packages that are asked for by URL or path (conda-spec 6.4, 9.2), on the command line, in `@EXPLICIT` files
/// and in lock files. Nothing is solved and no index is read; what is installed under the same name makes room, and
/// what is there already stays. Fills `link`, `unlink`, `final_state`, `update_specs` and `channels` of the plan.
/// Errors: invalid_argument for specs that are no URL, and for two packages of one name.
Result<void> plan_explicit(Plan& plan, const Session& session, const InstallRequest& request,
                           const std::vector<MatchSpec>& specs, const std::vector<PackageRecord>& installed,
                           const PackageCache& cache);

/// Completes a record by what its URL tells: file name, name, version, build, channel and subdir. The URL loses its
/// credentials. invalid_argument when it does not end in the file name of a package.
Result<void> complete_from_url(PackageRecord& record, const std::string& url, const Config& config);

} // namespace taipan
