#pragma once

#include <string>

#include "base/result.hpp"
#include "flow/plan.hpp"
#include "flow/session.hpp"

namespace taipan {

/// Plans a copy of the environment `source`, as conda's `create --clone` makes one: exactly its packages, from the
/// caches or the places they came from, each asked for by name, version and build; and its files of no package. Fails
/// when a record has no URL and no channel has that package.
Result<void> plan_clone(Plan& plan, Session& session, const std::string& source);

/// Copies the files of no package, when the packages are linked. Their paths in text are made those of the new one.
/// What a package has put there stays; what cannot be read any more is told and left out.
Result<void> copy_untracked(Session& session, const Plan& plan);

} // namespace taipan
