#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace taipan {

/// The lines of an environment file that hold for a platform: `- zlib # [linux]` is left out elsewhere. These are
/// conda-lock's selectors, words for platforms only (linux, unix, osx, win, linux64, aarch64, ...). Lines with another
/// word in the brackets are left out too, and told in `unknown`. Line numbers change.
[[nodiscard]] std::string lines_for_platform(std::string_view text, std::string_view subdir,
                                             std::vector<std::string>& unknown);

} // namespace taipan
