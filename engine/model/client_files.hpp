#pragma once

#include <string_view>

namespace taipan {

/// Whether a path relative to an environment belongs to whoever installs, never to a package (CEP 34): conda-meta
/// itself, and in it history, records and what taipan keeps there during a change.
[[nodiscard]] bool belongs_to_client(std::string_view path);

} // namespace taipan
