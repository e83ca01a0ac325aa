#pragma once

#include <string>
#include <string_view>

namespace taipan::repodata {

/// Resolves a reference (absolute URL, `//host/..`, `/path`, `../other`) against the URL of a directory, as browsers do
/// (RFC 3986 without query and fragment). Neither result nor `directory_url` ends with a slash.
[[nodiscard]] std::string resolve_reference(std::string_view directory_url, std::string_view reference);

} // namespace taipan::repodata
