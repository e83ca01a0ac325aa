// `~/.conda/environments.txt` is how tools know of environments outside the usual places. It is shared by all tools of
// a user: additions are one append, rewrites are atomic. Between reading and writing nothing of another taipan gets
// lost, since each holds a lock on the directory; conda and mamba know no lock.

#include "prefix/registry.hpp"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <memory>
#include <set>
#include <string_view>
#include <thread>

#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "base/filesystem.hpp"
#include "prefix/prefix_data.hpp"

namespace taipan {

namespace {

std::string registry_path(const std::string& home) { return home + "/.conda/environments.txt"; }

constexpr int lock_patience_milliseconds = 5000;

/// Holds the lock as long as the handle lives. Without one after a while, or on a file system that has none: the list
/// is an aid, nothing to wait for.
UniqueFd lock_registry(const std::string& home) {
    UniqueFd directory(::open((home + "/.conda").c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    for (int waited = 0; directory && waited < lock_patience_milliseconds; waited += 10) {
        if (::flock(directory.get(), LOCK_EX | LOCK_NB) == 0 || (errno != EWOULDBLOCK && errno != EINTR)) break;
        std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    return directory;
}

std::string without_trailing_slash(std::string_view line) {
    while (!line.empty() && (line.back() == '\r' || line.back() == ' ')) line.remove_suffix(1);
    while (line.size() > 1 && line.back() == '/') line.remove_suffix(1);
    return std::string(line);
}

Result<std::vector<std::string>> read_lines(const std::string& home) {
    std::vector<std::string> lines;
    if (!exists(registry_path(home))) return lines;
    TAIPAN_TRY(const std::string text, read_regular_file(registry_path(home), std::uint64_t{64} << 20));
    for (std::string_view rest = text; !rest.empty();) {
        const std::size_t end = std::min(rest.find('\n'), rest.size());
        std::string line = without_trailing_slash(rest.substr(0, end));
        if (!line.empty() && std::find(lines.begin(), lines.end(), line) == lines.end())
            lines.push_back(std::move(line));
        rest.remove_prefix(std::min(end + 1, rest.size()));
    }
    return lines;
}

/// Subdirectories of an envs_dir that are environments, sorted. An unreadable one has none.
std::vector<std::string> environments_in(const std::string& directory) {
    struct Closer {
        void operator()(DIR* stream) const { ::closedir(stream); }
    };
    std::vector<std::string> found;
    const std::unique_ptr<DIR, Closer> stream(::opendir(directory.c_str()));
    while (stream) {
        const dirent* entry = ::readdir(stream.get()); // NOLINT(concurrency-mt-unsafe): own stream
        if (entry == nullptr) break;
        const std::string_view name = entry->d_name;
        if (name == "." || name == "..") continue;
        std::string prefix = directory + '/' + std::string(name);
        if (is_environment(prefix)) found.push_back(std::move(prefix));
    }
    std::sort(found.begin(), found.end());
    return found;
}

} // namespace

Result<void> register_environment(const std::string& home, const std::string& prefix) {
    const std::string line = without_trailing_slash(prefix);
    // Scratch prefixes of package builds are not worth remembering.
    if (line.find("placehold_pl") != std::string::npos || line.find("skeleton_") != std::string::npos) return {};
    TAIPAN_CHECK(make_directories(home + "/.conda", 0775));
    const UniqueFd lock = lock_registry(home);
    TAIPAN_TRY(const std::vector<std::string> lines, read_lines(home));
    if (std::find(lines.begin(), lines.end(), line) != lines.end()) return {};
    std::string text = line + '\n';
    if (exists(registry_path(home))) { // a file whose last line was left open by an editor
        TAIPAN_TRY(const std::string old, read_regular_file(registry_path(home), std::uint64_t{64} << 20));
        if (!old.empty() && old.back() != '\n') text.insert(0, 1, '\n');
    }
    return append_to_file(registry_path(home), text);
}

Result<void> unregister_environment(const std::string& home, const std::string& prefix) {
    if (!exists(registry_path(home))) return {};
    const std::string gone = without_trailing_slash(prefix);
    const UniqueFd lock = lock_registry(home);
    TAIPAN_TRY(const std::vector<std::string> lines, read_lines(home));
    std::string text;
    for (const std::string& line : lines) {
        if (line != gone && is_environment(line)) text.append(line).append("\n");
    }
    return write_file_atomic(registry_path(home), text);
}

Result<std::vector<std::string>> registered_environments(const std::string& home) {
    TAIPAN_TRY(std::vector<std::string> lines, read_lines(home));
    std::erase_if(lines, [](const std::string& line) { return !is_environment(line); });
    return lines;
}

std::vector<ListedEnvironment> list_environments(const std::vector<std::string>& homes, const std::string& root_prefix,
                                                 const std::vector<std::string>& envs_dirs) {
    std::vector<ListedEnvironment> listed;
    std::set<std::string> seen;
    const auto add = [&](const std::string& prefix, std::string name) {
        if (seen.insert(prefix).second) listed.push_back({prefix, std::move(name)});
    };
    if (!root_prefix.empty() && is_environment(root_prefix)) add(root_prefix, "base");
    for (const std::string& directory : envs_dirs) {
        for (const std::string& prefix : environments_in(directory)) add(prefix, std::string(base_name(prefix)));
    }
    std::vector<std::string> registered;
    for (const std::string& home : homes) {
        const auto lines = registered_environments(home); // what cannot be read is another user's own business
        if (lines) registered.insert(registered.end(), lines->begin(), lines->end());
    }
    std::sort(registered.begin(), registered.end());
    for (const std::string& prefix : registered) {
        const std::string_view parent = parent_path(prefix);
        const bool named = std::find(envs_dirs.begin(), envs_dirs.end(), parent) != envs_dirs.end();
        add(prefix, named ? std::string(base_name(prefix)) : std::string());
    }
    return listed;
}

} // namespace taipan
