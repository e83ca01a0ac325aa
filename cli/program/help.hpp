#pragma once

#include <string>
#include <string_view>

#include "program/command.hpp"

namespace taipan::cli {

/// The text of `taipan --help`, or of a group such as `taipan env --help`.
[[nodiscard]] std::string overview_text(std::string_view group = {});
/// The text of `taipan <command> --help`.
[[nodiscard]] std::string help_text(const CommandEntry& entry, const Options& options, int width);

/// The manual page of all commands, in roff.
[[nodiscard]] std::string manual_page();

/// One name a line of every command that can be typed first; for `commands`.
[[nodiscard]] std::string command_names();

} // namespace taipan::cli
