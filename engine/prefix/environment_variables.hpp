#pragma once

#include <map>
#include <string>

#include "base/result.hpp"

namespace taipan {

/// Value of a variable that activation unsets.
inline constexpr const char* unset_marker = "***unset***";

/// The variables a prefix sets when it is activated (conda-spec 5.2): `etc/conda/env_vars.d/*.json` in name order, then
/// `conda-meta/state`; later ones win. Names are upper-cased when `upper_case` is set.
Result<std::map<std::string, std::string>> prefix_variables(const std::string& prefix, bool upper_case = true);

/// Only those of `conda-meta/state`, with the case they have on disk.
Result<std::map<std::string, std::string>> state_variables(const std::string& prefix);

/// Replaces the variables of `conda-meta/state`; its other keys are kept.
Result<void> write_state_variables(const std::string& prefix, const std::map<std::string, std::string>& variables);

} // namespace taipan
