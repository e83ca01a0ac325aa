#pragma once

#include <string>
#include <utility>
#include <vector>

#include "config/config.hpp"
#include "flow/plan.hpp"
#include "program/command.hpp"
#include "transaction/pip_step.hpp"
#include "transaction/run_recording.hpp"

namespace taipan::cli {

/// Everything that create, install, update and remove have decided before the engine is asked.
struct TransactionRequest {
    InstallRequest install;
    bool dry_run = false, download_only = false;
    bool shows_plan = true;     ///< false: what is done is told by the command itself
    bool empty_is_fine = false; ///< env update: go on to variables and pip when there is nothing to install
    std::vector<std::pair<std::string, std::string>> variables; ///< into conda-meta/state afterwards
    PipRequest pip;
    RecordingOptions recording;
    std::vector<std::string> notes; ///< of reading the request; shown as warnings
};

/// How it went, for those who need more than the exit code.
struct TransactionOutcome {
    int exit_code = exit_success;
    bool pip_failed = false;
};

/// Plans, shows the plan, asks, carries it out, and reports, on the terminal or as one JSON document.
/// `outcome` is filled also when an error is returned.
Result<void> run_transaction(Invocation& invocation, Config config, const TransactionRequest& request,
                             TransactionOutcome& outcome);

} // namespace taipan::cli
