#pragma once

#include <string>
#include <vector>

#include "base/result.hpp"
#include "cache/cache_contents.hpp"
#include "cache/pack_source.hpp"
#include "flow/plan.hpp"
#include "flow/session.hpp"

namespace taipan {

/// What is wanted of a cache, or kept in it.
struct CacheForms {
    bool archives = true, extracted = true; ///< of packages
    bool bytecode = true;
};

/// Adds what an environment of this plan, which is for the platform of the session, needs of a cache: its packages, and
/// unless they were named by URL the indexes to solve it again.
Result<void> add_needs(NeededEntries& needed, const Session& session, const Plan& plan);

/// All entries of the cache directory in these forms.
[[nodiscard]] std::vector<PackInput> all_entries(const std::string& cache_directory, const CacheForms& forms);

/// Those that the plans need (`needed`: of the same), wherever they lie; archives are verified. Fails with
/// package_not_found, naming them all, when packages are not in the cache in these forms.
Result<std::vector<PackInput>> needed_entries(Session& session, const std::vector<Plan>& plans,
                                              const NeededEntries& needed, const CacheForms& forms);

} // namespace taipan
