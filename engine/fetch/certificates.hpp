#pragma once

#include <string>
#include <string_view>

namespace taipan {

/// Certificates of authorities that are a part of this program, in PEM; empty unless it was linked statically, to run
/// where nothing is installed.
[[nodiscard]] std::string_view bundled_certificates();

/// The file of trusted certificates that this machine has, wherever its distribution keeps it; empty when there is
/// none.
[[nodiscard]] std::string system_certificates();

} // namespace taipan
