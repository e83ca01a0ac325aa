#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "base/result.hpp"

namespace taipan {

/// Value of a variable that activation unsets.
inline constexpr const char* unset_marker = "***unset***";

/// The variables a prefix sets when it is activated (conda-spec 5.2): `etc/conda/env_vars.d/*.json` in name order, then
/// `conda-meta/state`; later ones win. Names are upper-cased when `upper_case` is set.
Result<std::map<std::string, std::string>> prefix_variables(const std::string& prefix, bool upper_case = true);

/// Variables in the order in which they were first set, which is how people see them again.
using OrderedVariables = std::vector<std::pair<std::string, std::string>>;

/// A variable that is already there keeps its place.
void set_variable(OrderedVariables& variables, const std::string& name, const std::string& value);

/// Only those of `conda-meta/state`, with the case they have on disk.
Result<OrderedVariables> state_variables(const std::string& prefix);

/// Replaces the variables of `conda-meta/state`; its other keys are kept.
Result<void> write_state_variables(const std::string& prefix, const OrderedVariables& variables);

} // namespace taipan
