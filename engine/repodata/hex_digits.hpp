#pragma once

#include <span>
#include <string_view>

namespace taipan::repodata {

/// Reads lower-case hexadecimal digits, two a byte. False, with rubbish in `out`, when the text is anything else or of
/// another length. An index has a hundred of them in each record.
[[nodiscard]] bool from_hex(std::string_view text, std::span<unsigned char> out);

} // namespace taipan::repodata
