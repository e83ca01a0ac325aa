#pragma once

#include <string>
#include <vector>

#include "prefix/history.hpp"

namespace taipan::cli {

/// The text of `list --revisions` (conda-spec 9.3): for each block of the history what it changed.
[[nodiscard]] std::string revisions_text(const std::vector<HistoryBlock>& blocks);
/// The same with --json.
[[nodiscard]] std::string revisions_json(const std::vector<HistoryBlock>& blocks);

} // namespace taipan::cli
