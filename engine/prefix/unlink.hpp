#pragma once

#include <cstddef>

#include "base/result.hpp"
#include "model/record.hpp"
#include "prefix/transaction.hpp"

namespace taipan {

/// Takes one installed package out of the prefix (conda-spec 3.8): its record, exactly its `files`, for noarch
/// python what python cached of its modules, and on commit the directories that are empty then. `record` must be
/// a full one. Paths that would leave the prefix are skipped.
Result<void> unlink_package(const PrefixRecord& record, Transaction& transaction);

} // namespace taipan
