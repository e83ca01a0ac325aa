#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "model/match_spec.hpp"
#include "model/record.hpp"
#include "solve/candidate_source.hpp"

namespace taipan {

/// Everything a solve depends on; plain data. `create` is a request with nothing installed.
struct SolveRequest {
    std::vector<MatchSpec> install; ///< create/install: these must be there afterwards
    std::vector<MatchSpec> update;  ///< update: the newest that may be; each name must be installed
    std::vector<MatchSpec> remove;  ///< remove: these must go, with their dependents and orphaned dependencies
    bool update_all = false;        ///< update every installed package (python keeps its minor version)

    std::vector<PackageRecord> installed;        ///< what the prefix has now, from conda-meta
    std::map<std::string, MatchSpec> history;    ///< name -> spec that was requested earlier (conda-spec 4.3)
    std::vector<std::string> always_update;      ///< names to update too if installed (`aggressive_update_packages`)
    std::vector<MatchSpec> pins;                 ///< constrain, never install (conda-meta/pinned, config)
    std::vector<PackageRecord> virtual_packages; ///< of detect_virtual_packages

    ChannelPriority channel_priority = ChannelPriority::flexible;
    bool freeze_installed = false;  ///< no installed package may change, fail instead (requested names excepted)
    bool update_deps = false;       ///< update the dependencies of the requested packages too
    bool no_deps = false;           ///< exactly the requested packages, whatever they need
    bool only_deps = false;         ///< what the requested packages need, not themselves
    bool skip_if_satisfied = false; ///< change nothing when what is installed matches the request already
    bool force_reinstall = false;   ///< requested packages are unlinked and linked again even if unchanged
    bool force_remove = false;      ///< remove exactly the named packages, without solving
    bool prune = false;             ///< drop installed packages that neither history nor the request needs
    bool add_pip_to_python = true;  ///< `add_pip_as_python_dependency`; for a python whose own subdir has pip
    bool python_brings_pip = true; ///< with that: a python that is asked for by name also from another subdir, as mamba
};

/// A spec of the history that the solution had to break; `replacement` goes to `neutered specs`.
struct NeuteredSpec {
    MatchSpec requested;
    std::string replacement; ///< `name==<new version>`
};

/// The answer: what to take out, what to put in, and what is there afterwards.
struct Solution {
    std::vector<PackageRecord> link;        ///< topological order (conda-spec 3.6)
    std::vector<PackageRecord> unlink;      ///< reverse topological order of what was installed
    std::vector<PackageRecord> final_state; ///< the whole prefix afterwards, topological order
    std::vector<NeuteredSpec> neutered;
    /// `# update specs:` of the history: the request, or with only_deps the direct dependencies.
    std::vector<MatchSpec> recorded_specs;
    /// Names in both `link` and `unlink` only because python's minor version changed (conda-spec 3.3).
    std::vector<std::string> relinked_noarch;

    [[nodiscard]] bool empty() const { return link.empty() && unlink.empty(); }
};

/// Finds the packages that fulfil the request, deterministically. Errors: package_not_found (a requested name that
/// no channel has, or a name to remove or update that is not installed), unsatisfiable (the message explains, as a
/// tree), invalid_argument (the request contradicts itself or a pin).
Result<Solution> solve(const SolveRequest& request, CandidateSource& source);

} // namespace taipan
