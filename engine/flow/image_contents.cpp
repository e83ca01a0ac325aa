#include "flow/image_contents.hpp"

#include <algorithm>
#include <filesystem>
#include <map>
#include <string_view>
#include <unordered_map>
#include <unordered_set>

#include "base/filesystem.hpp"

namespace taipan {

namespace {

/// Symlinks of packages where other packages have a directory, and the directory that each leads to.
using Links = std::map<std::string, std::string>;

const std::string& path_of(const ImagePackage& package, std::size_t action) {
    return package.plan.paths[package.plan.actions[action].path].entry.path;
}

Error mixed(const ImagePackage& package, const std::string& path) {
    return make_error(ErrorCode::clobber,
                      path + " is a file in " + package.record.dist_name() +
                          " and a directory in another package. Image layers cannot hold both; make the environment "
                          "with `taipan create` and copy it into an image");
}

/// Where a symlink leads to, from the prefix; empty: out of it.
std::string destination(const ImagePackage& package, const std::string& path) {
    std::error_code error;
    const auto target = std::filesystem::read_symlink(package.directory + '/' + path, error);
    if (error || target.is_absolute()) return {};
    std::string real = (std::filesystem::path(path).parent_path() / target).lexically_normal().string();
    while (real.ends_with('/')) real.pop_back();
    return is_safe_relative_path(real) ? real : std::string();
}

Result<Links> find_links(const std::vector<ImagePackage>& packages) {
    std::unordered_set<std::string_view> directories;
    for (const auto& package : packages) {
        directories.insert(package.plan.directories.begin(), package.plan.directories.end());
    }
    Links links;
    for (const auto& package : packages) {
        for (std::size_t i = 0; i < package.plan.actions.size(); ++i) {
            const std::string& path = path_of(package, i);
            if (!directories.contains(path)) continue;
            std::string real =
                package.plan.actions[i].kind == PlaceKind::symlink ? destination(package, path) : std::string();
            if (real.empty() || real == path) return mixed(package, path);
            links.insert_or_assign(path, std::move(real));
        }
    }
    return links;
}

/// The path that is reached when the links on the way are followed.
std::string resolved(std::string path, const Links& links, bool itself) {
    constexpr int most_steps = 32; // links may lead to each other
    for (int step = 0; step < most_steps; ++step) {
        bool moved = false;
        for (const auto& [link, real] : links) {
            const bool below = path.size() > link.size() && path.starts_with(link) && path[link.size()] == '/';
            if (!below && !(itself && path == link)) continue;
            path = real + path.substr(link.size());
            moved = true;
            break;
        }
        if (!moved) break;
    }
    return path;
}

void add_directories(ImagePackage& package, const Links& links) {
    const auto add = [&](std::string_view directory) {
        while (!directory.empty() && package.directories.emplace(directory).second) directory = parent_path(directory);
    };
    for (const std::string& directory : package.plan.directories) {
        add(links.empty() ? directory : resolved(directory, links, true));
    }
    for (const std::string& target : package.targets) add(parent_path(target));
}

} // namespace

Result<void> settle_image_paths(std::vector<ImagePackage>& packages) {
    TAIPAN_TRY(const Links links, find_links(packages));
    struct Owner {
        std::size_t package = 0, action = 0;
    };
    std::unordered_map<std::string, Owner> owners;
    for (std::size_t p = 0; p < packages.size(); ++p) {
        ImagePackage& package = packages[p];
        package.hidden.assign(package.plan.actions.size(), false);
        package.targets.clear();
        package.targets.reserve(package.plan.actions.size());
        for (std::size_t i = 0; i < package.plan.actions.size(); ++i) {
            package.targets.push_back(links.empty() ? path_of(package, i)
                                                    : resolved(path_of(package, i), links, false));
            const auto [known, fresh] = owners.try_emplace(package.targets.back(), Owner{p, i});
            if (fresh) continue;
            packages[known->second.package].hidden[known->second.action] = true;
            known->second = {p, i};
        }
        add_directories(package, links);
    }
    return {};
}

} // namespace taipan
