#pragma once

#include <string>
#include <string_view>

#include "program/completion.hpp"

namespace taipan::cli {

/// Where a value is asked for.
struct ValueRequest {
    const Invocation& invocation;
    std::string_view command; ///< path of the command
    std::string name, prefix; ///< of -n and -p, as far as given
    std::string typed;        ///< what there is of the value
};

/// Adds what the option's (or positional's) value can be, as its placeholder says: environments for NAME, packages for
/// SPEC, files for FILE and so on.
void add_values(const Option& option, const ValueRequest& request, Completion& completion);

} // namespace taipan::cli
