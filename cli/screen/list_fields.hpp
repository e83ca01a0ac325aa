#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "model/record.hpp"

namespace taipan::cli {

/// The title of a column of `list --fields`; empty when there is no such field.
[[nodiscard]] std::string_view list_field_title(std::string_view field);
[[nodiscard]] std::string list_field_names(); ///< all of them, joined by commas

/// The table of `list --fields`, as conda has it.
Result<std::string> list_fields_text(const std::vector<PackageRecord>& records, const std::string& prefix,
                                     const std::vector<std::string>& fields, const std::string& size_line = {});

} // namespace taipan::cli
