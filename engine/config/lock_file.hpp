#pragma once

#include <string>
#include <string_view>

#include "base/result.hpp"
#include "config/environment_file.hpp"
#include "config/yaml_value.hpp"

namespace taipan {

/// Whether a YAML document is a lock file of conda-lock (CEP 37), by what is in it.
[[nodiscard]] bool is_conda_lock(const YamlValue& document);
/// Takes what `context` wants (platform, categories) out of it. Errors (ErrorCode::parse): another version, entries
/// without URL or hash, a platform or category that the file does not have, two packages of one name.
Result<RequestFile> parse_conda_lock(const YamlValue& document, const std::string& path,
                                     const RequestFileContext& context);

/// Whether a YAML document is a `pixi.lock`, by what is in it.
[[nodiscard]] bool is_pixi_lock(const YamlValue& document);
/// Takes one environment (that of `context`, else `default`) for one platform out of it; versions 4 to 7. Errors
/// (ErrorCode::parse) as above, and packages that are to be built from source.
Result<RequestFile> parse_pixi_lock(const YamlValue& document, const std::string& path,
                                    const RequestFileContext& context);

} // namespace taipan
