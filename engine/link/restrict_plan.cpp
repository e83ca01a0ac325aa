#include "link/restrict_plan.hpp"

#include <algorithm>
#include <string_view>

#include "base/filesystem.hpp"

namespace taipan {

namespace {

constexpr std::uint32_t left_out = static_cast<std::uint32_t>(-1);

void add_with_parents(std::set<std::string>& directories, std::string_view directory) {
    while (!directory.empty() && directories.emplace(directory).second) directory = parent_path(directory);
}

/// The files that stay, and where each of the old ones is now.
std::vector<std::uint32_t> keep_paths(const LinkPlan& plan, const std::set<std::string>& wanted, LinkPlan& part) {
    std::vector<std::uint32_t> now(plan.paths.size(), left_out);
    const std::size_t first_entry_point = plan.paths.size() - plan.entry_points.size();
    for (std::size_t i = 0; i < plan.paths.size(); ++i) {
        if (plan.paths[i].entry.type == PathType::directory || !wanted.contains(plan.paths[i].entry.path)) continue;
        now[i] = static_cast<std::uint32_t>(part.paths.size());
        part.paths.push_back(plan.paths[i]);
        if (i >= first_entry_point) part.entry_points.push_back(plan.entry_points[i - first_entry_point]);
    }
    return now;
}

} // namespace

LinkPlan restrict_plan(const LinkPlan& plan, const std::set<std::string>& targets) {
    LinkPlan part;
    part.package = plan.package;
    part.new_prefix = plan.new_prefix;
    part.platform = plan.platform;
    part.link_type = plan.link_type;
    std::set<std::string> wanted = targets;
    std::set<std::string> directories, pyc_directories;
    for (const PycItem& item : plan.pyc) {
        if (!targets.contains(item.source) && !targets.contains(item.pyc)) continue;
        part.pyc.push_back(item);
        wanted.insert(item.pyc);
        pyc_directories.emplace(parent_path(item.pyc));
    }
    const std::vector<std::uint32_t> now = keep_paths(plan, wanted, part);
    for (const LinkGroup& group : plan.groups) {
        LinkGroup smaller = group;
        smaller.first = static_cast<std::uint32_t>(part.actions.size());
        for (std::uint32_t i = group.first; i < group.last; ++i) {
            LinkAction action = plan.actions[i];
            if (now[action.path] == left_out) continue;
            action.path = now[action.path];
            part.actions.push_back(std::move(action));
        }
        smaller.last = static_cast<std::uint32_t>(part.actions.size());
        if (smaller.first == smaller.last) continue;
        add_with_parents(directories, smaller.target_directory);
        part.groups.push_back(std::move(smaller));
    }
    for (const InstalledPath& path : plan.paths) {
        if (path.entry.type == PathType::directory && targets.contains(path.entry.path)) {
            add_with_parents(directories, path.entry.path);
        }
    }
    part.directories.assign(directories.begin(), directories.end());
    part.pyc_directories.assign(pyc_directories.begin(), pyc_directories.end());
    return part;
}

} // namespace taipan
