#pragma once

#include "program/command.hpp"

namespace taipan::cli {

/// Runs what the command line says and returns the process's exit code: finds the command, parses its options, runs
/// it, reports its error.
int run_application(Invocation& invocation);

} // namespace taipan::cli
