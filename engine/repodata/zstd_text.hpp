#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace taipan {

/// Inflates a whole `.zst` file held in memory (one or several frames). Fails with ErrorCode::parse when the bytes are
/// damaged, truncated, or would grow beyond `limit` bytes. The result has spare capacity for the JSON parser's padding.
Result<std::string> decompress_zst(std::string_view bytes, std::uint64_t limit = std::uint64_t{8} << 30);

} // namespace taipan
