#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "config/locked_package.hpp"
#include "flow/session.hpp"
#include "model/record.hpp"

namespace taipan {

enum class Action { create, install, update, remove };

/// What the user asked for. Everything is as typed; names are resolved by make_plan.
struct InstallRequest {
    Action action = Action::install;
    std::string prefix;                ///< absolute; must exist as an environment except for create
    std::vector<std::string> specs;    ///< match specs; package URLs and paths make it an explicit install
    std::vector<LockedPackage> locked; ///< of lock files: an explicit install, too
    bool from_lock = false;            ///< even if that has no packages
    std::vector<std::string> channels; ///< in order of priority, already merged with the configured ones
    std::string command_line;          ///< for the `# cmd:` line of history
    bool no_deps = false, only_deps = false;
    bool freeze_installed = false, force_reinstall = false, force_remove = false;
    bool update_all = false, update_deps = false, prune = false;
    /// With prune: the specs are all that is wanted; what was asked for earlier does not count any more.
    bool only_requested = false;
    bool python_brings_pip = true;  ///< who asks for python by name gets pip wherever it is, as with mamba
    bool skip_if_satisfied = false; ///< do nothing when what is installed matches the specs already
    bool replace_existing = false;  ///< create: an environment that is there is replaced
    bool no_pin = false, no_default_packages = false;
    std::string clone_of; ///< create: absolute path of the environment that is to be copied; there are no specs then
    std::optional<std::size_t> revision; ///< install: go to this state of the history; there are no specs then
};

/// Where the bytes of a package will come from.
enum class CacheState { extracted, archive, missing };

struct PlannedPackage {
    PackageRecord record;
    CacheState cached = CacheState::missing;
    std::string location;       ///< extracted directory or archive, when cached
    std::string requested_spec; ///< canonical; empty for a dependency
    bool from_url = false;      ///< asked for by URL
    bool complete = false;      ///< its dependencies are known nevertheless, not only when the archive is there
    /// Relinked only since python's minor version changes: not part of what history and the user see.
    bool relink_only = false;
    /// Not empty: the package is installed already, and only these paths of it are to be brought back.
    std::set<std::string> only_paths;
};

/// What will happen, decided before anything is touched. Plain data: can be shown, and carried out later.
struct Plan {
    Action action = Action::install;
    std::string prefix;
    bool new_prefix = false;                ///< the environment at `prefix` is made from nothing
    bool replaces_existing = false;         ///< and one that is there now goes when the new one is complete
    bool direct = false;                    ///< packages are unpacked into the prefix and leave nothing in a cache
    std::vector<std::string> record_files;  ///< in conda-meta when the plan was made: what it relies on
    std::vector<PlannedPackage> link;       ///< in dependency order
    std::vector<PackageRecord> unlink;      ///< dependents first
    std::set<std::string> kept_paths;       ///< of packages to unlink, but staying since they are another one's
    std::vector<PackageRecord> final_state; ///< what will be installed afterwards, in dependency order
    std::vector<std::string> update_specs, remove_specs, neutered_specs; ///< canonical, for history
    std::vector<std::string> channels; ///< as in the request; their credentials are needed for downloads
    std::string command_line;
    std::string clone_of;                     ///< the environment that is copied
    std::vector<std::string> untracked_files; ///< of it: what is of no package, and is copied too
    std::vector<std::string> warnings;

    [[nodiscard]] bool nothing_to_do() const { return link.empty() && unlink.empty(); }
    [[nodiscard]] std::uint64_t download_bytes() const;
};

/// Loads the indexes that the request needs and solves. Touches nothing but the repodata cache.
Result<Plan> make_plan(Session& session, const InstallRequest& request);

} // namespace taipan
