#pragma once

#include <atomic>
#include <cstddef>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace taipan {

/// A program to run and wait for.
struct ChildCommand {
    std::vector<std::string> arguments;             ///< the first is the absolute path of the program
    std::map<std::string, std::string> environment; ///< complete: nothing is inherited
    std::string working_directory;
    std::string_view input;                  ///< for its standard input; /dev/null when empty
    std::size_t output_limit = 1 << 20;      ///< of stdout and stderr together, the last bytes are kept
    const std::atomic<bool>* stop = nullptr; ///< when it turns true the child's process group is killed
};

struct ChildOutput {
    int exit_status = 0; ///< 128 + signal number when a signal ended it, as shells say
    std::string output;  ///< stdout and stderr, interleaved
};

/// Runs it in a process group of its own, with default signals and without any of our descriptors. Errors: io (it
/// could not be started), cancelled.
Result<ChildOutput> run_child(const ChildCommand& command);

} // namespace taipan
