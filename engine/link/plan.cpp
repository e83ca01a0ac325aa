// Problem: linking must be decided before it is done (clobbers, prefixes that do not fit), and must then run in
// parallel without two workers in one directory, since the kernel serialises changes of a directory.
// Approach: a pure function maps every path of the package to its target and to the way it gets there, then groups
// the actions by target directory and lists the directories that are needed, parents first.
// What must hold: no target leaves the prefix, none lies below another target that is a file or symlink, none
// belongs to conda-meta's own files; `paths` keeps the package's order, since it becomes the record's.

#include "link/plan.hpp"

#include <algorithm>
#include <numeric>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include "base/filesystem.hpp"
#include "model/client_files.hpp"

namespace taipan {

namespace {

Error corrupt(const std::string& package, const std::string& why) {
    return make_error(ErrorCode::corrupt_package, "package " + package + ": " + why);
}

PlaceKind kind_of(const PathEntry& entry, LinkType link_type) {
    if (entry.type == PathType::softlink) return PlaceKind::symlink;
    if (!entry.placeholder.empty()) {
        return entry.mode == FileMode::binary ? PlaceKind::rewrite_binary : PlaceKind::rewrite_text;
    }
    if (entry.no_link || link_type == LinkType::copy) return PlaceKind::copy;
    return link_type == LinkType::softlink ? PlaceKind::soft_link : PlaceKind::hard_link;
}

/// An action together with the directories it will be grouped by; views into strings that outlive the planning.
struct Draft {
    LinkAction action;
    std::string_view source_directory, target_directory;
};

class Planner {
public:
    Planner(PackageLayout layout, const PackageRecord& record, const std::optional<PythonInfo>& python,
            const LinkOptions& options)
        : layout_(std::move(layout)), python_(python), options_(options) {
        plan_.package = record.dist_name();
        plan_.new_prefix = options.prefix;
        plan_.platform = options.platform;
        plan_.link_type = options.link_type;
        noarch_python_ = (record.noarch != Noarch::none ? record.noarch : layout_.noarch) == Noarch::python;
    }

    Result<LinkPlan> run() {
        if (noarch_python_ && !python_) {
            return make_error(ErrorCode::invalid_argument, "package " + plan_.package +
                                                               " is for python, but the environment has no python: add "
                                                               "python to the packages to install");
        }
        TAIPAN_CHECK(add_files());
        if (noarch_python_ && options_.compile_pyc) add_pyc();
        if (noarch_python_) TAIPAN_CHECK(add_entry_points());
        draft_actions();
        TAIPAN_CHECK(collect_directories());
        group();
        return std::move(plan_);
    }

private:
    Result<void> add_files() {
        std::unordered_set<std::string> generated; // entry points win over files of the package's own
        if (noarch_python_) {
            for (const EntryPoint& entry_point : layout_.entry_points) generated.insert("bin/" + entry_point.command);
        }
        plan_.paths.reserve(layout_.paths.size());
        find_modules_without_source();
        sources_.reserve(layout_.paths.size());
        for (PathEntry& entry : layout_.paths) {
            std::string target = noarch_python_ ? noarch_target_path(entry.path, *python_) : entry.path;
            if (!is_safe_relative_path(target))
                return corrupt(plan_.package, "'" + target + "' leaves the environment");
            if (belongs_to_client(target)) {
                return corrupt(plan_.package, "it ships " + target + ", which only the installer may write");
            }
            // Old packages list links to files with a prefix as such files. What the link leads to is rewritten.
            if (entry.type == PathType::softlink) entry.placeholder.clear();
            if (!generated.empty() && generated.contains(target)) continue;
            const auto elsewhere = modules_without_source_.find(target);
            const bool yields = elsewhere != modules_without_source_.end() && elsewhere->second.empty();
            if (yields || (options_.slim != nullptr && options_.slim->leaves_out(target))) {
                ++plan_.left_out_files;
                plan_.left_out_bytes += entry.size.value_or(0);
                continue;
            }
            if (elsewhere != modules_without_source_.end()) target = elsewhere->second;
            if (noarch_python_ && options_.compile_pyc && is_compiled_source(entry.path)) {
                const bool alone = options_.slim != nullptr && options_.slim->yields_to_bytecode(target);
                plan_.pyc.push_back({target, alone ? target + 'c' : pyc_path(target, *python_), entry.size.value_or(0),
                                     !entry.placeholder.empty(), alone});
            }
            sources_.push_back(std::exchange(entry.path, std::move(target)));
            plan_.paths.push_back({std::move(entry), {}});
        }
        return {};
    }

    /// Where the package brings bytecode itself, that takes the place of the source (`SlimRules::yields_to_bytecode`).
    void find_modules_without_source() {
        if (noarch_python_ || !python_ || options_.slim == nullptr || !options_.slim->has("py")) return;
        std::unordered_set<std::string_view> paths;
        for (const PathEntry& entry : layout_.paths) paths.insert(entry.path);
        for (const PathEntry& entry : layout_.paths) {
            if (!entry.path.ends_with(".py") || entry.type != PathType::hardlink) continue;
            const std::string pyc = pyc_path(entry.path, *python_);
            if (!paths.contains(pyc) || !options_.slim->yields_to_bytecode(entry.path)) continue;
            modules_without_source_.emplace(entry.path, std::string());
            if (pyc != entry.path + 'c') modules_without_source_.emplace(pyc, entry.path + 'c');
        }
    }

    void add_pyc() {
        for (const PycItem& item : plan_.pyc) {
            InstalledPath path;
            path.entry.path = item.pyc;
            path.entry.type = PathType::pyc_file;
            plan_.paths.push_back(std::move(path));
            plan_.pyc_directories.emplace_back(parent_path(item.pyc));
        }
        std::sort(plan_.pyc_directories.begin(), plan_.pyc_directories.end());
        plan_.pyc_directories.erase(std::unique(plan_.pyc_directories.begin(), plan_.pyc_directories.end()),
                                    plan_.pyc_directories.end());
    }

    Result<void> add_entry_points() {
        const std::string executable = options_.prefix + '/' + python_->executable;
        std::unordered_set<std::string_view> seen;
        for (EntryPoint& entry_point : layout_.entry_points) {
            if (!seen.insert(entry_point.command).second) continue;
            InstalledPath path;
            path.entry.path = "bin/" + entry_point.command;
            path.entry.type = PathType::unix_python_entry_point;
            std::string text = entry_point_text(entry_point, executable, options_.platform);
            path.entry.size = text.size();
            plan_.paths.push_back(std::move(path));
            plan_.entry_points.push_back({entry_point, std::move(text)});
        }
        return {};
    }

    void draft_actions() {
        drafts_.reserve(plan_.paths.size());
        for (std::size_t i = 0; i < plan_.paths.size(); ++i) {
            const PathEntry& entry = plan_.paths[i].entry;
            if (entry.type == PathType::directory || entry.type == PathType::pyc_file) continue;
            Draft draft;
            draft.action.path = static_cast<std::uint32_t>(i);
            draft.target_directory = parent_path(entry.path);
            if (entry.type == PathType::unix_python_entry_point) {
                draft.action.kind = PlaceKind::entry_point;
            } else {
                draft.action.kind = kind_of(entry, options_.link_type);
                draft.source_directory = parent_path(sources_[i]);
                const std::string_view name = base_name(sources_[i]);
                if (name != base_name(entry.path)) draft.action.source_name = name;
            }
            drafts_.push_back(std::move(draft));
        }
    }

    /// All target directories with their parents; fails when one of them is also a file or symlink of the package.
    Result<void> collect_directories() {
        std::unordered_set<std::string_view> wanted;
        const auto add = [&](std::string_view directory) {
            while (!directory.empty() && wanted.insert(directory).second) directory = parent_path(directory);
        };
        for (const Draft& draft : drafts_) add(draft.target_directory);
        for (const InstalledPath& path : plan_.paths) {
            if (path.entry.type == PathType::directory) add(path.entry.path);
        }
        for (const Draft& draft : drafts_) {
            const std::string& target = plan_.paths[draft.action.path].entry.path;
            if (wanted.contains(target)) return corrupt(plan_.package, target + " is both a file and a directory");
        }
        plan_.directories.assign(wanted.begin(), wanted.end());
        std::sort(plan_.directories.begin(), plan_.directories.end()); // a parent sorts before its children
        return {};
    }

    void group() {
        std::vector<std::uint32_t> order(drafts_.size());
        std::iota(order.begin(), order.end(), 0U);
        std::stable_sort(order.begin(), order.end(), [&](std::uint32_t a, std::uint32_t b) {
            return std::pair(drafts_[a].target_directory, drafts_[a].source_directory) <
                   std::pair(drafts_[b].target_directory, drafts_[b].source_directory);
        });
        plan_.actions.reserve(order.size());
        const Draft* previous = nullptr;
        for (std::uint32_t index : order) {
            Draft& draft = drafts_[index];
            if (previous == nullptr || previous->target_directory != draft.target_directory ||
                previous->source_directory != draft.source_directory) {
                const auto at = static_cast<std::uint32_t>(plan_.actions.size());
                plan_.groups.push_back(
                    {std::string(draft.source_directory), std::string(draft.target_directory), at, at});
            }
            plan_.actions.push_back(std::move(draft.action));
            ++plan_.groups.back().last;
            previous = &draft;
        }
    }

    PackageLayout layout_;
    const std::optional<PythonInfo>& python_;
    const LinkOptions& options_;
    bool noarch_python_ = false;
    LinkPlan plan_;
    /// By path: where that file goes instead; empty: it does not come.
    std::unordered_map<std::string, std::string> modules_without_source_;
    std::vector<std::string> sources_; ///< of the first paths: where they lie in the package
    std::vector<Draft> drafts_;
};

} // namespace

std::vector<std::string> LinkPlan::files() const {
    std::vector<std::string> result;
    result.reserve(paths.size());
    for (const InstalledPath& path : paths) {
        if (path.entry.type != PathType::directory) result.push_back(path.entry.path);
    }
    return result;
}

std::vector<std::string> LinkPlan::placed_files() const {
    std::vector<std::string> result;
    result.reserve(actions.size());
    for (const LinkAction& action : actions) result.push_back(paths[action.path].entry.path);
    return result;
}

Result<LinkPlan> make_link_plan(PackageLayout layout, const PackageRecord& record,
                                const std::optional<PythonInfo>& python, const LinkOptions& options) {
    return Planner(std::move(layout), record, python, options).run();
}

Result<void> check_prefix_length(const LinkPlan& plan) {
    if (plan.platform == Platform::windows) return {};
    for (const LinkAction& action : plan.actions) {
        const PathEntry& entry = plan.paths[action.path].entry;
        if (action.kind != PlaceKind::rewrite_binary || plan.new_prefix.size() <= entry.placeholder.size()) continue;
        return make_error(ErrorCode::prefix_too_long, "the environment's path " + plan.new_prefix + " is " +
                                                          std::to_string(plan.new_prefix.size()) + " bytes long, but " +
                                                          entry.path + " of " + plan.package + " leaves room for " +
                                                          std::to_string(entry.placeholder.size()) +
                                                          "; choose a shorter path");
    }
    return {};
}

} // namespace taipan
