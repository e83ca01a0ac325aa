#pragma once

#include <cstdint>
#include <string_view>

namespace taipan::repodata {

/// XXH3 (64 bits): finds damage, not malice.
[[nodiscard]] std::uint64_t checksum(std::string_view bytes);

} // namespace taipan::repodata
