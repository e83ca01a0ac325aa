#pragma once

#include <string>
#include <string_view>

namespace taipan {

/// A list of features, separated by blanks or commas, in the form in which equal sets are equal texts: sorted, each
/// once, separated by one blank.
[[nodiscard]] std::string feature_set(std::string_view list);

} // namespace taipan
