#pragma once

#include <string>

#include "base/json_writer.hpp"
#include "config/config.hpp"
#include "program/command.hpp"

namespace taipan::cli {

/// The table of `env list` and `info --envs`.
[[nodiscard]] std::string environments_text(const Invocation& invocation, const Config& config, bool sizes = false);
/// Writes the members `envs` and `envs_details` into an open object.
/// With `sizes`, with the bytes that each takes.
void write_environments(JsonWriter& json, const Invocation& invocation, const Config& config, bool sizes = false);

} // namespace taipan::cli
