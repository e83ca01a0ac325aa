#pragma once

#include <string>
#include <string_view>

#include "base/result.hpp"
#include "link/platform.hpp"
#include "model/record.hpp"

namespace taipan {

/// Replaces `placeholder` by `new_prefix` in the bytes of one file (conda-spec 3.2). True when something changed.
/// Text: every occurrence, and a first line that is too long for the kernel becomes `#!/usr/bin/env <name>`.
/// Binary: inside NUL-terminated strings only, the size never changes; fails with prefix_too_long when the new
/// prefix does not fit. UTF-8, UTF-16 and UTF-32 (both byte orders) are searched.
Result<bool> rewrite_prefix(std::string& content, std::string_view placeholder, std::string_view new_prefix,
                            FileMode mode, Platform platform);

} // namespace taipan
