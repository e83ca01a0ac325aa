#include "requests/known_environments.hpp"

#include <algorithm>

#include <unistd.h>

#include "base/filesystem.hpp"
#include "config/expand.hpp"

namespace taipan::cli {

namespace {

/// The home directories in /etc/passwd. Users of a directory service are left out: to list them can take minutes.
std::vector<std::string> homes_of_local_users() {
    std::vector<std::string> homes;
    const auto users = read_file("/etc/passwd", std::uint64_t{4} << 20);
    if (!users) return homes;
    for (const auto& line : split_list(*users, '\n')) {
        const auto fields = split_list(line, ':');
        if (fields.size() > 5 && fields[5].starts_with('/')) homes.push_back(fields[5]);
    }
    return homes;
}

} // namespace

std::vector<ListedEnvironment> known_environments(const Config& config, Role role) {
    std::vector<std::string> homes = {config.home};
    if (::geteuid() == 0 && role == Role::conda) {
        auto others = homes_of_local_users();
        homes.insert(homes.end(), others.begin(), others.end());
    }
    auto found = list_environments(homes, config.root_prefix, config.envs_dirs);
    const auto is_root = [&](const ListedEnvironment& one) { return one.prefix == config.root_prefix; };
    if (role == Role::conda) {
        std::sort(found.begin(), found.end(), [](const auto& a, const auto& b) { return a.prefix < b.prefix; });
    } else if (as_mamba(role) && std::none_of(found.begin(), found.end(), is_root)) {
        found.insert(found.begin(), ListedEnvironment{config.root_prefix, "base"});
    }
    return found;
}

} // namespace taipan::cli
