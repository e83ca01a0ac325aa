#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "base/result.hpp"
#include "link/made_directories.hpp"
#include "link/plan.hpp"

namespace taipan {

/// What to do when the target of an action exists already.
enum class OnExisting {
    replace, ///< remove it (also a directory), then create: never written through
    fail,    ///< ErrorCode::clobber
    report,  ///< leave it and list the action in PlacedFiles::existing
};

/// Where a plan is carried out. The handles are borrowed; any directory handle will do (also O_PATH ones).
struct PlaceContext {
    int package_fd = -1; ///< the extracted package, or a directory above it
    int prefix_fd = -1;
    std::string package_dir; ///< absolute; for messages and for soft links into the cache
    std::string prefix;      ///< absolute; for messages
    OnExisting on_existing = OnExisting::replace;
    const std::atomic<bool>* stop = nullptr; ///< polled between groups
    bool contained = false;                  ///< no symlink of the package leads out of it
    /// The package is nobody else's: its files are moved, and what is rewritten goes from it. Each can be placed once.
    bool move = false;
    /// Reproducible: rewritten files have the package's time, and symlinks are new ones.
    bool settled = false;
    MadeDirectories* made = nullptr; ///< of the prefix, if what this run makes there is kept track of
    /// The way from `package_fd` to the package; only for contained ones, else empty.
    std::string package_path = {};
};

/// Outcome of a part of a plan; parts are merged with `merge`.
struct PlacedFiles {
    /// (index into LinkPlan::paths, sha256 in the prefix) of files whose content was rewritten or read on the way.
    std::vector<std::pair<std::uint32_t, std::string>> digests;
    std::vector<std::uint32_t> existing; ///< indexes into LinkPlan::actions, with OnExisting::report
    std::uint64_t hard_links = 0, copies = 0, rewritten = 0, symlinks = 0, entry_points = 0;
    std::uint64_t copied_bytes = 0;

    void merge(PlacedFiles&& other);
};

/// How files will be linked, decided once for a (package directory, prefix) pair.
struct LinkChoice {
    LinkType type = LinkType::hardlink;
    std::string reason = {}; ///< why not hard links, as a clause for people; empty otherwise
    bool clones = false;     ///< copies share their blocks with the cache (reflink)
};

struct LinkPreference {
    bool always_copy = false, always_softlink = false, allow_softlinks = false;
};

/// Tries to link `probe`, a file of the package, into the prefix (conda-spec 3.1).
[[nodiscard]] LinkChoice choose_link_type(int package_fd, int prefix_fd, const LinkPreference& preference,
                                          const char* probe = "info/index.json");

/// Those of `directories` (parents first, as in a plan) that are not there: what `create_directories` would make, to
/// be announced to the transaction first.
Result<std::vector<std::string>> find_missing_directories(const std::vector<std::string>& directories, int prefix_fd,
                                                          const std::string& prefix);

/// Makes `directories` (parents first, as in a plan) below the prefix; those there already are fine, also as symlinks
/// that stay inside. Returns the ones it created, and adds them to `made`. A file in the way: ErrorCode::clobber.
Result<std::vector<std::string>> create_directories(const std::vector<std::string>& directories, int prefix_fd,
                                                    const std::string& prefix, MadeDirectories* made = nullptr);

/// Carries out the groups [first_group, last_group). The directories must exist. Parts of one plan may run at the
/// same time in several threads. On an error what was placed stays: the caller's transaction undoes it.
Result<PlacedFiles> place_groups(const LinkPlan& plan, std::size_t first_group, std::size_t last_group,
                                 const PlaceContext& context);
/// Directories and all groups, for callers without threads.
Result<PlacedFiles> place_all(const LinkPlan& plan, const PlaceContext& context);
/// Only these actions (indexes into LinkPlan::actions): the ones that lost or won a clobber.
Result<PlacedFiles> place_actions(const LinkPlan& plan, const std::vector<std::uint32_t>& actions,
                                  const PlaceContext& context);

/// The targets of the plan, pyc files included, that exist in the prefix now; for the check before anything is
/// touched. Directories where the plan wants directories do not count; a file where it wants one does.
Result<std::vector<std::string>> find_existing_targets(const LinkPlan& plan, int prefix_fd, const std::string& prefix);

} // namespace taipan
