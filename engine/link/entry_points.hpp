#pragma once

#include <string>
#include <string_view>

#include "base/result.hpp"
#include "link/platform.hpp"

namespace taipan {

/// `command = module:attribute` of a noarch python package: a generated script `bin/<command>`.
struct EntryPoint {
    std::string command;
    std::string module;    ///< dotted
    std::string attribute; ///< may be dotted: `A.main`
};

/// Parses and validates one entry point (conda-spec 1.8). Errors: corrupt_package.
Result<EntryPoint> parse_entry_point(std::string_view text);

/// The script's text (conda-spec 3.4). `python_executable` is absolute; a shebang that would be too long for the
/// platform, or that has a blank in it, becomes a /bin/sh line that execs python.
[[nodiscard]] std::string entry_point_text(const EntryPoint& entry_point, std::string_view python_executable,
                                           Platform platform = Platform::linux_os);

} // namespace taipan
