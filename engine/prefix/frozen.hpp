#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace taipan {

/// The message of `conda-meta/frozen` (CEP 22): nullopt when the prefix is not frozen, empty when it says nothing.
Result<std::optional<std::string>> frozen_message(const std::string& prefix);

/// Fails with environment_frozen when the prefix is frozen.
Result<void> require_not_frozen(const std::string& prefix);

/// The specs of a `conda-meta/pinned` text, one a line, comments and blank lines left out.
[[nodiscard]] std::vector<std::string> parse_pinned(std::string_view text);
/// Those of a prefix; a missing file is an empty list.
Result<std::vector<std::string>> read_pinned(const std::string& prefix);

} // namespace taipan
