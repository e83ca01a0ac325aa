#pragma once

#include <set>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "model/record.hpp"
#include "prefix/transaction.hpp"

namespace taipan {

/// Takes installed packages out of the prefix (conda-spec 3.8): their records, exactly their `files` except `kept`, for
/// noarch python what python cached of their modules, and on commit the directories that are empty then. The records
/// must be full ones. Paths that would leave the prefix are skipped. Announced to the transaction as one step.
Result<void> unlink_records(const std::vector<PrefixRecord>& records, const std::set<std::string>& kept,
                            Transaction& transaction);

} // namespace taipan
