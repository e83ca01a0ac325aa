#pragma once

#include <atomic>
#include <cstddef>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "link/plan.hpp"

namespace taipan {

/// One run of the prefix's interpreter over a batch of sources. Several may run at the same time.
struct PycRun {
    std::string prefix; ///< absolute
    PythonInfo python;
    std::map<std::string, std::string> environment; ///< of the user; what would influence python is taken out
    const std::atomic<bool>* stop = nullptr;
};

struct PycOutcome {
    std::size_t compiled = 0; ///< the rest of the batch could not be compiled, which is no error
};

/// The interpreter's command line: absolute executable, switches and program; sources come over standard input.
[[nodiscard]] std::vector<std::string> pyc_command(const PycRun& run);
/// The environment without PYTHON* variables and SOURCE_DATE_EPOCH (which would make hash-based pycs).
[[nodiscard]] std::map<std::string, std::string> python_environment(std::map<std::string, std::string> environment);

/// Compiles the batch (the directories of the pyc files exist) into timestamp-based pyc files that carry the sources'
/// mtime (conda-spec 3.5). A source that does not compile is skipped. Errors: io (the interpreter does not run),
/// cancelled.
Result<PycOutcome> compile_pyc(const PycRun& run, std::span<const PycItem> items);

} // namespace taipan
