#pragma once

#include <string>

#include "flow/session.hpp"
#include "shell/activation.hpp"

namespace taipan::cli {

/// Runs a program and waits; its streams are ours. With `output_to_errors` its stdout goes to our stderr, so that our
/// stdout stays one JSON document. A stop is passed on as SIGTERM. Returns the exit code, 128 + n for a signal.
/// Fails when the program cannot be started.
Result<int> run_child(const WrappedCommand& command, const std::string& directory, bool output_to_errors,
                      StopSource& stop);

/// Replaces this process by the program; returns only on failure. Exit codes as in shells: 127 not found, 126 not
/// executable, told by the caller from `errno_value`.
[[nodiscard]] int replace_process(const WrappedCommand& command);

} // namespace taipan::cli
