#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "link/noarch_python.hpp"
#include "link/package_info.hpp"
#include "link/platform.hpp"
#include "link/slim.hpp"
#include "model/record.hpp"

namespace taipan {

/// How one path comes into the prefix.
enum class PlaceKind : std::uint8_t {
    hard_link,
    copy,         ///< private copy with the source's mode and mtime
    soft_link,    ///< absolute symlink into the cache (`always_softlink`); executables are copied
    symlink,      ///< the package's own symlink: hard-linked, or recreated with the same text
    rewrite_text, ///< private copy with the prefix replaced
    rewrite_binary,
    entry_point, ///< generated script
};

/// One path to make. Source and target lie in the directories of the action's group.
struct LinkAction {
    PlaceKind kind = PlaceKind::hard_link;
    std::uint32_t path = 0;  ///< index into LinkPlan::paths
    std::string source_name; ///< last component in the package; empty when equal to the target's
};

/// The actions of one target directory (and one source directory): the unit that is given to a worker.
struct LinkGroup {
    std::string source_directory;      ///< relative to the package directory, empty for its root
    std::string target_directory;      ///< relative to the prefix, empty for its root
    std::uint32_t first = 0, last = 0; ///< range [first, last) of LinkPlan::actions
};

/// One python source to compile; both paths are relative to the prefix.
struct PycItem {
    std::string source, pyc;
    std::uint64_t source_size = 0; ///< as paths.json says; 0 when unknown
    bool rewritten = false;        ///< the source has a prefix in it, so it is another one in each environment
    bool replaces_source = false;  ///< `pyc` is where Python looks without a source, which goes once it is compiled
};

struct PlannedEntryPoint {
    EntryPoint entry_point;
    std::string text; ///< content of the script
};

/// Everything that linking one package will do; made without touching the disk.
struct LinkPlan {
    std::string package;                  ///< dist name, for messages
    std::vector<std::string> directories; ///< to be made, unique, parents first
    std::vector<LinkAction> actions;      ///< grouped
    std::vector<LinkGroup> groups;        ///< sorted by target directory
    /// The record's paths_data: files and directories in package order, then pyc files, then entry points;
    /// `entry.path` is the target.
    std::vector<InstalledPath> paths;
    std::vector<PlannedEntryPoint> entry_points; ///< of the last `entry_points.size()` items of `paths`
    std::vector<PycItem> pyc;                    ///< to be compiled after all packages are linked
    std::vector<std::string> pyc_directories;    ///< `__pycache__` directories the compilation needs
    std::string new_prefix;                      ///< what placeholders become
    Platform platform = Platform::linux_os;
    LinkType link_type = LinkType::hardlink;
    std::uint64_t left_out_files = 0, left_out_bytes = 0; ///< by `LinkOptions::slim`

    /// Target paths of everything but directories, in record order: the record's `files`.
    [[nodiscard]] std::vector<std::string> files() const;
    /// The target paths that `place` makes: `files()` without the pyc files.
    [[nodiscard]] std::vector<std::string> placed_files() const;
};

struct LinkOptions {
    std::string prefix; ///< absolute, without trailing slash, symlinks not resolved
    LinkType link_type = LinkType::hardlink;
    bool compile_pyc = true; ///< false: pyc files are neither made nor recorded
    Platform platform = Platform::linux_os;
    const SlimRules* slim = nullptr; ///< what the environment does without; may be null
};

/// Plans one package. `record` decides whether it is noarch python, if it says so, else the layout.
/// Errors: corrupt_package (unsafe or contradictory paths, a symlink with a placeholder, files that belong to
/// conda-meta), invalid_argument (noarch python without a python).
Result<LinkPlan> make_link_plan(PackageLayout layout, const PackageRecord& record,
                                const std::optional<PythonInfo>& python, const LinkOptions& options);

/// Fails with prefix_too_long when a binary file's placeholder cannot take the prefix; to be asked for all packages
/// before the first one is linked. (A file that turns out not to contain its placeholder would not have failed.)
Result<void> check_prefix_length(const LinkPlan& plan);

} // namespace taipan
