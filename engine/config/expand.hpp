#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace taipan {

/// Replaces `$NAME` and `${NAME}` by the variable's value; unknown ones stay as they are, as a shell user sees them.
[[nodiscard]] std::string expand_variables(std::string_view text,
                                           const std::map<std::string, std::string>& environment);
/// Replaces a leading `~` or `~/` by the home directory.
[[nodiscard]] std::string expand_home(std::string_view path, std::string_view home);
/// Splits at every `separator`, trims blanks and drops empty parts.
[[nodiscard]] std::vector<std::string> split_list(std::string_view text, char separator);
[[nodiscard]] std::string_view trimmed(std::string_view text);

} // namespace taipan
