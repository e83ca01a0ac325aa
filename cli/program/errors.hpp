#pragma once

#include <string>
#include <string_view>

#include "base/result.hpp"

namespace taipan::cli {

/// conda's exception name for a kind of failure (conda-spec 12.2): what users and scripts look for.
[[nodiscard]] std::string_view error_name(ErrorCode code);
/// conda's name where it has one for this very failure, which the error's facts tell; else empty.
[[nodiscard]] std::string_view error_name_by_facts(const Error& error);
/// Tells, among the facts of an error that has some, which environment it is about.
void add_prefix(Error& error, std::string_view prefix);
/// `\n<Name>: <message>\n\n`, for stderr.
[[nodiscard]] std::string error_text(const Error& error, std::string_view name);
/// The same as one JSON object, for stdout with --json.
[[nodiscard]] std::string error_json(const Error& error, std::string_view name);

} // namespace taipan::cli
