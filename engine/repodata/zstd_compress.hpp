#pragma once

#include <string>
#include <string_view>

#include "base/result.hpp"

namespace taipan {

/// One zstd frame (some clients read no further than the first) with content size and checksum.
Result<std::string> compress_zst(std::string_view text, int level);

} // namespace taipan
