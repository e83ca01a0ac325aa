// Two packages with one path. What conda does: the one that is linked later, in dependency order, has it. Packages are
// linked in parallel here, so whoever comes first makes the path and the other one is noted down; afterwards the path
// is given to the one that should have it. In an existing prefix all this is known, and refused if `path_conflict` says
// so, before anything is touched.
//
// A path that is a file in one package and a directory in another needs more: what lies at and below it is made anew,
// package after package (`replay`). A symlink to a directory is followed, never replaced by a directory, whatever the
// order: that way no package loses its files (`lib64 -> lib`).

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/beneath.hpp"
#include "base/filesystem.hpp"
#include "flow/link_stage.hpp"
#include "link/restrict_plan.hpp"
#include "prefix/prefix_data.hpp"

namespace taipan {

namespace {

constexpr std::size_t shown_conflicts = 10;

bool is_at_or_below(std::string_view path, std::string_view root) {
    return path == root || (path.size() > root.size() && path.starts_with(root) && path[root.size()] == '/');
}

bool is_at_or_below_any(std::string_view path, const std::vector<std::string>& roots) {
    return std::any_of(roots.begin(), roots.end(), [&](const auto& root) { return is_at_or_below(path, root); });
}

std::string joined(const std::vector<std::string>& words) {
    std::string text;
    for (const auto& word : words) text += (text.empty() ? "" : ", ") + word;
    return text;
}

/// Something in the directory that nobody is about to remove; empty when there is nothing. Bytecode that python has
/// cached does not count.
std::string first_kept_file(const std::string& prefix, const std::string& directory,
                            const std::set<std::string>& leaving) {
    namespace fs = std::filesystem;
    std::error_code error;
    for (fs::recursive_directory_iterator entry(prefix + '/' + directory, error), end; !error && entry != end;
         entry.increment(error)) {
        if (entry->is_directory(error) && !entry->is_symlink(error)) continue;
        std::string path = entry->path().string().substr(prefix.size() + 1);
        const bool bytecode = path.ends_with(".pyc") && base_name(parent_path(path)) == "__pycache__";
        if (!bytecode && !leaving.contains(path)) return path;
    }
    return {};
}

/// The path without the symlinks that packages have put in the way of each other.
std::string without_links(const std::string& path, const std::map<std::string, std::string>& links) {
    for (const auto& [link, real] : links) {
        if (is_at_or_below(path, link) && path != link) return real + path.substr(link.size());
    }
    return path;
}

std::string resolved(const std::string& path) {
    char* const text = ::realpath(path.c_str(), nullptr);
    std::string result = text == nullptr ? std::string() : text;
    std::free(text); // NOLINT: realpath allocates with malloc
    return result;
}

} // namespace

const std::string& LinkStage::target_of(const Linked& package, std::uint32_t action) {
    return package.plan.paths[package.plan.actions[action].path].entry.path;
}

/// By `path_conflict`: an error, a warning, or only a word for those who want to know everything.
Result<void> LinkStage::report_conflicts(const std::vector<std::string>& texts) {
    const std::string& mode = session_.config().path_conflict;
    if (mode != "prevent") {
        const Severity severity = mode == "warn" ? Severity::warning : Severity::debug;
        for (const auto& text : texts) session_.sink().note(severity, text);
        return {};
    }
    if (texts.empty()) return {};
    std::string message;
    for (std::size_t i = 0; i < std::min(texts.size(), shown_conflicts); ++i) message += texts[i] + "\n";
    if (texts.size() > shown_conflicts) {
        message += "and " + std::to_string(texts.size() - shown_conflicts) + " more\n";
    }
    return make_error(ErrorCode::clobber, message + "path_conflict is set to prevent, so nothing was changed");
}

/// A file that comes back gives way to one that comes new.
void LinkStage::leave_to_new_packages() {
    std::unordered_set<std::string_view> claimed;
    for (const Linked& package : packages_) {
        if (package.partial) continue;
        for (const auto& path : package.plan.paths) claimed.insert(path.entry.path);
    }
    for (Linked& package : packages_) {
        if (!package.partial) continue;
        std::set<std::string> paths = package.only_paths;
        std::erase_if(paths, [&](const std::string& path) { return claimed.contains(path); });
        package.plan = restrict_plan(package.plan, paths);
    }
}

/// Symlinks of packages in place of directories of others, and the directories that they will lead to.
std::map<std::string, std::string>
LinkStage::planned_links(const std::unordered_set<std::string_view>& directories) const {
    std::map<std::string, std::string> links;
    for (const Linked& package : packages_) {
        for (const auto& action : package.plan.actions) {
            const std::string& path = package.plan.paths[action.path].entry.path;
            if (action.kind != PlaceKind::symlink || !directories.contains(path)) continue;
            std::error_code error;
            const auto target = std::filesystem::read_symlink(package.directory + '/' + path, error);
            if (error || target.is_absolute()) continue;
            std::string real = (std::filesystem::path(path).parent_path() / target).lexically_normal().string();
            if (real.ends_with('/')) real.pop_back();
            if (is_safe_relative_path(real)) links.insert_or_assign(path, std::move(real));
        }
    }
    return links;
}

std::vector<std::string> LinkStage::conflicts_among_plans() const {
    std::unordered_set<std::string_view> directories;
    for (const Linked& package : packages_) {
        directories.insert(package.plan.directories.begin(), package.plan.directories.end());
    }
    const auto links = planned_links(directories);
    std::unordered_map<std::string, std::size_t> first;
    std::map<std::string, std::vector<std::string>> shared;
    std::set<std::string> mixed;
    for (std::size_t i = 0; i < packages_.size(); ++i) {
        for (const auto& path : packages_[i].get().plan.paths) {
            if (path.entry.type == PathType::directory) continue;
            if (directories.contains(path.entry.path) && !links.contains(path.entry.path))
                mixed.insert(path.entry.path);
            const auto [known, fresh] = first.emplace(without_links(path.entry.path, links), i);
            if (fresh) continue;
            auto& owners = shared[known->first];
            if (owners.empty()) owners.push_back(packages_[known->second].get().record.dist_name());
            owners.push_back(packages_[i].get().record.dist_name());
        }
    }
    std::vector<std::string> texts;
    for (const auto& path : mixed) texts.push_back(path + " is a file in one package and a directory in another");
    for (const auto& [path, owners] : shared) {
        texts.push_back(path + " is in more than one package (" + joined(owners) + "); that of " + owners.back() +
                        " is used");
    }
    return texts;
}

/// `path` is there and not about to go. The owner is worth looking for only if somebody will read it.
std::string LinkStage::existing_conflict(const std::string& path, const Linked& package) const {
    std::string owner;
    if (session_.config().path_conflict != "clobber") {
        for (const auto& installed : plan_.final_state) {
            const auto found = find_listed_files(plan_.prefix, installed.dist_name(), {path});
            if (found && !found->empty()) owner = " as a file of " + installed.dist_name();
        }
    }
    return path + " exists already in " + plan_.prefix + owner + " and is replaced by that of " +
           package.record.dist_name();
}

Result<void> LinkStage::check_conflicts(const std::set<std::string>& leaving) {
    leave_to_new_packages();
    std::vector<std::string> texts = conflicts_among_plans();
    std::set<std::string> seen;
    for (const Linked& package : packages_) {
        if (!package.planned) continue;
        TAIPAN_TRY(auto existing, find_existing_targets(package.plan, transaction_.prefix_fd(), plan_.prefix));
        for (auto& path : existing) {
            if (leaving.contains(path) || !seen.insert(path).second) continue;
            if (const auto kept = first_kept_file(plan_.prefix, path, leaving); !kept.empty()) {
                return make_error(ErrorCode::clobber,
                                  path + " of " + package.record.dist_name() + " is a directory in " + plan_.prefix +
                                      ", with files in it (" + kept + "); move them away and try again");
            }
            if (!package.partial) texts.push_back(existing_conflict(path, package));
            in_the_way_.push_back(std::move(path));
        }
    }
    return report_conflicts(texts);
}

/// What is not there now and will be made; told before it is, so that a kill at any moment leaves nothing unknown.
std::vector<std::string> LinkStage::missing_directories() const {
    std::set<std::string> missing; // sorted: parents first
    for (const Linked& package : packages_) {
        for (const auto* directories : {&package.plan.directories, &package.plan.pyc_directories}) {
            for (const auto& directory : *directories) {
                struct stat status {};
                const bool there = ::fstatat(transaction_.prefix_fd(), directory.c_str(), &status, 0) == 0;
                if (!there) missing.insert(directory);
            }
        }
    }
    return {missing.begin(), missing.end()};
}

Result<void> LinkStage::announce() {
    std::vector<std::string> created;
    for (const Linked& package : packages_) {
        if (!package.planned) continue;
        for (auto& path : package.plan.files()) created.push_back(std::move(path));
        if (package.partial) continue;
        created.push_back("conda-meta/" + package.record.dist_name() + ".json");
        // A record that nobody could read, and that is being made again.
        if (exists(plan_.prefix + '/' + created.back())) in_the_way_.push_back(created.back());
    }
    TAIPAN_CHECK(transaction_.set_aside(in_the_way_));
    std::sort(created.begin(), created.end());
    created.erase(std::unique(created.begin(), created.end()), created.end());
    // Directories first: undone in reverse, they are empty when their turn comes.
    TAIPAN_CHECK(transaction_.created_directories(missing_directories()));
    return transaction_.created(created);
}

/// Paths that are a file or symlink of one package and a directory of another; none lies below another one.
std::vector<std::string> LinkStage::mixed_paths() const {
    std::unordered_set<std::string_view> directories;
    bool postponed = false;
    for (const Linked& package : packages_) {
        directories.insert(package.plan.directories.begin(), package.plan.directories.end());
        postponed = postponed || package.postponed;
    }
    std::set<std::string> mixed; // parents first
    for (const Linked& package : packages_) {
        const auto look_at = [&](std::uint32_t action) {
            const std::string& path = target_of(package, action);
            if (directories.contains(path)) mixed.insert(path);
        };
        for (const auto action : package.placed.existing) look_at(action);
        for (std::uint32_t action = 0; action < package.plan.actions.size(); ++action) {
            // A file among directories was noticed when the directory could not be made; a symlink was followed.
            if (postponed || package.plan.actions[action].kind == PlaceKind::symlink) look_at(action);
        }
    }
    std::vector<std::string> roots;
    for (const auto& path : mixed) {
        if (!is_at_or_below_any(path, roots)) roots.push_back(path);
    }
    return roots;
}

Result<void> LinkStage::clear(const std::string& path) {
    const UniqueFd parent = open_directory_beneath(transaction_.prefix_fd(), std::string(parent_path(path)));
    if (!parent && errno == ENOENT) return {};
    if (!parent) return system_error(errno, "cannot open the directory of", plan_.prefix + '/' + path);
    if (::unlinkat(parent.get(), std::string(base_name(path)).c_str(), 0) == 0 || errno == ENOENT) return {};
    if (errno != EISDIR && errno != EPERM) return system_error(errno, "cannot replace", plan_.prefix + '/' + path);
    return remove_tree(plan_.prefix + '/' + path);
}

/// Places these actions once more, in place of what is there.
Result<void> LinkStage::place_again(Linked& package, const std::vector<std::uint32_t>& actions, OnExisting existing) {
    if (actions.empty()) return {};
    PlaceContext where = context(package);
    where.on_existing = existing;
    TAIPAN_CHECK(enter(package, where));
    TAIPAN_TRY(auto placed, place_actions(package.plan, actions, where));
    package.fd.reset();
    package.placed.merge(std::move(placed));
    return {};
}

/// The directories of a package at and below `root`; a file in the way of one goes.
Result<void> LinkStage::make_directories_again(const Linked& package, const std::string& root) {
    for (const auto& directory : package.plan.directories) {
        if (!is_at_or_below(directory, root)) continue;
        struct stat status {};
        const bool there = ::fstatat(transaction_.prefix_fd(), directory.c_str(), &status, 0) == 0;
        if (there && S_ISDIR(status.st_mode)) continue;
        TAIPAN_CHECK(clear(directory));
        TAIPAN_CHECK(create_directories({directory}, transaction_.prefix_fd(), plan_.prefix));
    }
    return {};
}

/// The last package's symlink at `root`, if it leads to a directory of the prefix. False: there is no such link.
Result<bool> LinkStage::link_through(const std::string& root) {
    for (auto last = packages_.rbegin(); last != packages_.rend(); ++last) {
        Linked* const package = &last->get();
        for (std::uint32_t action = 0; action < package->plan.actions.size(); ++action) {
            const bool is_link = package->plan.actions[action].kind == PlaceKind::symlink;
            if (!is_link || target_of(*package, action) != root) continue;
            TAIPAN_CHECK(place_again(*package, {action}, OnExisting::replace));
            if (!open_directory_beneath(transaction_.prefix_fd(), root)) return false;
            const std::string top = resolved(plan_.prefix), real = resolved(plan_.prefix + '/' + root);
            if (real.size() > top.size() + 1) through_.emplace(root, real.substr(top.size() + 1));
            return true;
        }
    }
    return false;
}

/// Whether the files of these actions are where the package was unpacked.
bool LinkStage::has_sources(const Linked& package, const std::vector<std::uint32_t>& actions) {
    if (!package.moved) return true;
    const auto& kept = package.placed.existing;
    return std::all_of(actions.begin(), actions.end(),
                       [&](std::uint32_t action) { return std::find(kept.begin(), kept.end(), action) != kept.end(); });
}

/// Packages in no cache whose files have been moved into the prefix already: they are fetched a second time, which is
/// the price for not having kept them.
Result<void> LinkStage::bring_again(const std::set<std::size_t>& indexes) {
    if (indexes.empty()) return {};
    return supply_.bring_again(plan_, indexes, [this](CachedPackage fresh) -> Result<void> {
        Linked& package = slots_[fresh.index];
        package.moved = false;
        package.directory = std::move(fresh.directory);
        package.contained = fresh.contained;
        package.tree.reset();
        if (fresh.tree) package.tree.emplace(std::move(*fresh.tree));
        return {};
    });
}

Result<void> LinkStage::bring_for_replay(const std::vector<std::string>& roots) {
    std::set<std::size_t> missing;
    for (const Linked& package : slots_) {
        std::vector<std::uint32_t> wanted;
        for (std::uint32_t action = 0; action < package.plan.actions.size(); ++action) {
            if (is_at_or_below_any(target_of(package, action), roots)) wanted.push_back(action);
        }
        if (!has_sources(package, wanted)) missing.insert(package.slot);
    }
    return bring_again(missing);
}

/// Everything at and below `root` anew, in dependency order.
Result<void> LinkStage::replay(const std::string& root) {
    TAIPAN_CHECK(clear(root));
    TAIPAN_TRY(const bool through, link_through(root));
    for (Linked& package : packages_) {
        if (!package.planned) continue;
        std::vector<std::uint32_t> at, below;
        for (std::uint32_t action = 0; action < package.plan.actions.size(); ++action) {
            const std::string& path = target_of(package, action);
            if (path == root) at.push_back(action);
            if (path != root && is_at_or_below(path, root)) below.push_back(action);
            if (is_at_or_below(path, root)) contested_.insert(path);
        }
        if (!at.empty() && !through) {
            TAIPAN_CHECK(clear(root));
            TAIPAN_CHECK(place_again(package, at, OnExisting::replace));
        }
        TAIPAN_CHECK(make_directories_again(package, root));
        TAIPAN_CHECK(place_again(package, below, OnExisting::replace));
    }
    return {};
}

/// What a package that met a file where it wanted a directory can place nevertheless.
Result<void> LinkStage::place_rest(Linked& package, const std::vector<std::string>& roots) {
    std::vector<std::string> directories;
    for (const auto& directory : package.plan.directories) {
        if (!is_at_or_below_any(directory, roots)) directories.push_back(directory);
    }
    TAIPAN_CHECK(create_directories(directories, transaction_.prefix_fd(), plan_.prefix));
    std::vector<std::uint32_t> actions;
    for (std::uint32_t action = 0; action < package.plan.actions.size(); ++action) {
        if (!is_at_or_below_any(target_of(package, action), roots)) actions.push_back(action);
    }
    return place_again(package, actions, OnExisting::report);
}

Result<void> LinkStage::settle_mixed_paths() {
    const auto roots = mixed_paths();
    for (Linked& package : packages_) {
        if (package.postponed) TAIPAN_CHECK(place_rest(package, roots));
    }
    std::vector<std::string> texts;
    for (const auto& root : roots) texts.push_back(root + " is a file in one package and a directory in another");
    if (links_as_they_come()) TAIPAN_CHECK(report_conflicts(texts)); // else they were reported in time
    if (!roots.empty()) made_.clear();                               // directories may become symlinks now
    TAIPAN_CHECK(bring_for_replay(roots));
    for (const auto& root : roots) TAIPAN_CHECK(replay(root));
    replayed_ = roots;
    for (Linked& package : packages_) {
        if (std::exchange(package.postponed, false)) TAIPAN_CHECK(hand_to_compiler(package));
    }
    return {};
}

/// Whether a package found something where it wanted to put a path of its own, other than a directory.
bool LinkStage::may_conflict() const {
    return made_.has_met_symlink() || std::any_of(packages_.begin(), packages_.end(), [](const Linked& package) {
               return package.postponed || !package.placed.existing.empty();
           });
}

/// The plans that went away with their records, which stay as they are: the shipped digests and those of rewritten
/// files are the same whoever has a path in the end.
Result<void> LinkStage::plan_again() {
    for (Linked& package : packages_) {
        if (!package.recorded) continue;
        TAIPAN_TRY(const UniqueFd directory, open_directory(package.directory));
        TAIPAN_TRY(const auto info, read_package_info(directory.get()));
        TAIPAN_CHECK(make_plan(package, info));
    }
    return {};
}

Result<void> LinkStage::settle_conflicts() {
    TAIPAN_CHECK(settle_contested_paths());
    for (auto& package : slots_) package.tree.reset();
    return {};
}

Result<void> LinkStage::settle_contested_paths() {
    if (!may_conflict()) return {};
    TAIPAN_CHECK(plan_again());
    TAIPAN_CHECK(settle_mixed_paths());
    std::set<std::string> contested;
    for (const Linked& package : packages_) {
        for (const auto action : package.placed.existing)
            contested.insert(without_links(target_of(package, action), through_));
        if (through_.empty()) continue;
        for (std::uint32_t action = 0; action < package.plan.actions.size(); ++action) {
            const std::string& path = target_of(package, action);
            if (auto real = without_links(path, through_); real != path) contested.insert(std::move(real));
        }
    }
    if (contested.empty()) return {};
    std::map<std::string, std::pair<std::size_t, std::uint32_t>> winner; // path -> package, action
    std::map<std::string, std::vector<std::string>> owners;
    for (std::size_t i = 0; i < packages_.size(); ++i) {
        for (std::uint32_t action = 0; action < packages_[i].get().plan.actions.size(); ++action) {
            std::string path = without_links(target_of(packages_[i].get(), action), through_);
            if (!contested.contains(path)) continue;
            contested_.insert(target_of(packages_[i].get(), action));
            owners[path].push_back(packages_[i].get().record.dist_name());
            winner.insert_or_assign(std::move(path), std::pair(i, action));
        }
    }
    std::map<std::size_t, std::vector<std::uint32_t>> again;
    std::set<std::size_t> missing;
    std::vector<std::string> texts;
    for (const auto& [path, won] : winner) {
        if (owners[path].size() < 2) continue;
        texts.push_back(path + " is in more than one package (" + joined(owners[path]) + "); that of " +
                        owners[path].back() + " is used");
        if (is_at_or_below_any(path, replayed_)) continue;
        // Of all that want the path, the one that was not told that it is taken has it.
        const Linked& winning = packages_[won.first];
        const bool at_hand = has_sources(winning, {won.second});
        if (!at_hand && through_.empty()) continue;
        again[won.first].push_back(won.second);
        if (!at_hand) missing.insert(winning.slot);
    }
    if (links_as_they_come()) TAIPAN_CHECK(report_conflicts(texts));
    TAIPAN_CHECK(bring_again(missing));
    for (const auto& [index, actions] : again) {
        TAIPAN_CHECK(place_again(packages_[index].get(), actions, OnExisting::replace));
    }
    return {};
}

} // namespace taipan
