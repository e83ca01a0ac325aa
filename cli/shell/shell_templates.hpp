#pragma once

#include <string_view>

namespace taipan::cli {

/// The text of a file in cli/shell/templates, such as `hook.sh`; empty when there is no such file. Words in @...@ are
/// to be filled in.
[[nodiscard]] std::string_view shell_template(std::string_view name);

} // namespace taipan::cli
