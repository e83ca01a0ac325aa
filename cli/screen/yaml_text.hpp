#pragma once

#include <string>
#include <string_view>

namespace taipan::cli {

/// A string as a YAML scalar that every reader takes for the same string: plain where that is safe, else quoted.
[[nodiscard]] std::string yaml_scalar(std::string_view text);

} // namespace taipan::cli
