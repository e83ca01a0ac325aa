#pragma once

#include <set>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "solve/attempt.hpp"
#include "solve/catalog.hpp"

namespace taipan::solve_detail {

/// What one attempt asks and forbids.
struct AttemptPlan {
    std::vector<Job> jobs;
    Limits limits;
};

/// Which installed packages may move in an attempt beyond what the request implies: those that turned out to be in the
/// way of an earlier attempt, or all.
struct Freedom {
    std::set<std::string> names;
    bool all = false;
    std::set<std::string> insist; ///< requested names that an earlier answer would have taken out
    std::set<std::string> update; ///< installed packages to update though nobody named them (update_deps)
    [[nodiscard]] bool may_move(const std::string& name) const { return all || names.contains(name); }
};

/// Turns a request to create, install or update into jobs (conda-spec 11.1). The request's names are loaded.
Result<AttemptPlan> plan_attempt(Catalog& catalog, const Freedom& freedom);

/// The history spec that counts for an installed package that is not to be updated: relaxed to name and version when
/// the package is in the way, to the name when what is installed does not match it anyway.
MatchSpec effective_history(const Catalog& catalog, const MatchSpec& spec, EntryId installed, const Freedom& freedom);

/// "python 3.11.*" for an installed python 3.11.4.
MatchSpec python_minor_spec(const Version& version);

} // namespace taipan::solve_detail
