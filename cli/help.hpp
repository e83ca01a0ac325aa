#pragma once

#include <string>
#include <string_view>

#include "command.hpp"

namespace taipan::cli {

/// The text of `taipan --help`, or of a group such as `taipan env --help`.
[[nodiscard]] std::string overview_text(std::string_view group = {});
/// The text of `taipan <command> --help`.
[[nodiscard]] std::string help_text(const CommandEntry& entry, const Options& options, int width);

} // namespace taipan::cli
