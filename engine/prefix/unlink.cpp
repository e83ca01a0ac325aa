// Unlinking removes what the record lists and nothing else; the one exception is bytecode that python itself has
// cached of the modules that go, for packages whose modules we compile (conda-spec 3.8).

#include "prefix/unlink.hpp"

#include <algorithm>
#include <iterator>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/beneath.hpp"
#include "base/filesystem.hpp"
#include "model/client_files.hpp"

namespace taipan {

namespace {

/// Modules that go, as (directory, name without .py), sorted.
using Modules = std::set<std::pair<std::string, std::string>>;

Modules modules_of(const std::vector<std::string>& files) {
    Modules modules;
    for (const std::string& file : files) {
        if (!file.ends_with(".py")) continue;
        const std::string_view name = base_name(file);
        modules.emplace(std::string(parent_path(file)), std::string(name.substr(0, name.size() - 3)));
    }
    return modules;
}

std::vector<std::string> entries_of(int prefix_fd, const std::string& directory) {
    struct Closer {
        void operator()(DIR* stream) const { ::closedir(stream); }
    };
    std::vector<std::string> names;
    const UniqueFd handle = open_directory_beneath(prefix_fd, directory);
    if (!handle) return names;
    const int listing = ::openat(handle.get(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (listing < 0) return names;
    const std::unique_ptr<DIR, Closer> stream(::fdopendir(listing));
    if (!stream) {
        ::close(listing);
        return names;
    }
    while (const dirent* entry = ::readdir(stream.get())) { // NOLINT(concurrency-mt-unsafe): own stream
        names.emplace_back(entry->d_name);
    }
    return names;
}

/// `__pycache__/<module>.<tag>.pyc` of those modules, as far as it is there and not in `files`.
std::vector<std::string> cached_bytecode(const Modules& modules, const std::set<std::string_view>& files,
                                         int prefix_fd) {
    std::vector<std::string> found;
    for (auto module = modules.begin(); module != modules.end();) {
        const std::string& directory = module->first;
        const std::string cache = directory.empty() ? "__pycache__" : directory + "/__pycache__";
        std::vector<std::string> names = entries_of(prefix_fd, cache);
        std::sort(names.begin(), names.end());
        for (const std::string& name : names) {
            if (!name.ends_with(".pyc")) continue;
            const std::string stem = name.substr(0, name.find('.'));
            if (!modules.contains({directory, stem})) continue;
            std::string path = cache + '/' + name;
            if (!files.contains(path)) found.push_back(std::move(path));
        }
        const auto next = std::find_if(module, modules.end(), [&](const auto& m) { return m.first != directory; });
        module = next;
    }
    return found;
}

} // namespace

Result<void> unlink_records(const std::vector<PrefixRecord>& records, const std::set<std::string>& kept,
                            Transaction& transaction) {
    std::vector<std::string> all;
    std::set<std::string> directories;
    for (const PrefixRecord& record : records) {
        std::vector<std::string> files;
        files.reserve(record.files.size() + 1);
        for (const std::string& file : record.files) {
            const bool ours = is_safe_relative_path(file) && !belongs_to_client(file);
            if (ours && !kept.contains(file)) files.push_back(file);
        }
        if (record.package.noarch == Noarch::python) {
            const std::set<std::string_view> listed(record.files.begin(), record.files.end());
            const std::vector<std::string> cached = cached_bytecode(modules_of(files), listed, transaction.prefix_fd());
            files.insert(files.end(), cached.begin(), cached.end());
        }
        for (const std::string& file : files) directories.emplace(parent_path(file));
        for (const InstalledPath& path : record.paths) {
            if (path.entry.type == PathType::directory) directories.insert(path.entry.path);
        }
        files.push_back("conda-meta/" + record.package.dist_name() + ".json");
        all.insert(all.end(), std::make_move_iterator(files.begin()), std::make_move_iterator(files.end()));
    }
    directories.erase("");
    TAIPAN_CHECK(transaction.set_aside(all));
    transaction.remove_if_empty({directories.begin(), directories.end()});
    return {};
}

} // namespace taipan
