#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "link/plan.hpp"

namespace taipan {

/// How the prefix's interpreter is run. Several may run at the same time.
struct PycRun {
    std::string prefix; ///< absolute
    PythonInfo python;
    std::map<std::string, std::string> environment; ///< of the user; what would influence python is taken out
    std::function<bool()> stopped;                  ///< asked now and then; empty: never
    bool gently = false;                            ///< with a lower priority: other work goes on
};

/// The interpreter's command line: absolute executable, switches and program; sources come over standard input.
[[nodiscard]] std::vector<std::string> pyc_command(const PycRun& run);
/// The environment without PYTHON* variables and SOURCE_DATE_EPOCH (which would make hash-based pycs), and with a fixed
/// seed of hashes, so that the bytecode is the same each time.
[[nodiscard]] std::map<std::string, std::string> python_environment(std::map<std::string, std::string> environment);

/// One interpreter process, which compiles batch after batch. The destructor ends it.
class PycCompiler {
public:
    static Result<PycCompiler> start(const PycRun& run);
    PycCompiler(PycCompiler&&) noexcept;
    PycCompiler& operator=(PycCompiler&&) = delete;
    PycCompiler(const PycCompiler&) = delete;
    PycCompiler& operator=(const PycCompiler&) = delete;
    ~PycCompiler();

    /// Compiles the batch (the directories of the pyc files exist) into timestamp-based pyc files that carry the
    /// sources' mtime (conda-spec 3.5). Returns how many: a source that does not compile is skipped. Errors: io (the
    /// interpreter does not run), cancelled; it is of no use after either.
    Result<std::size_t> compile(std::span<const PycItem> batch);
    /// After an error: the interpreter was ended by a signal, most likely since memory ran out at one of the modules.
    [[nodiscard]] bool killed() const;

private:
    struct State;
    explicit PycCompiler(std::unique_ptr<State> state);
    std::unique_ptr<State> state_;
};

} // namespace taipan
