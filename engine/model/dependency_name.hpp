#pragma once

#include <string>
#include <string_view>

namespace taipan {

/// The lower-case package name a dependency text is about; empty when it is no match spec. Much cheaper than parsing
/// the spec for the plain forms that records have.
[[nodiscard]] std::string dependency_name(std::string_view text);

} // namespace taipan
