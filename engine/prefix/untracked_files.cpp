#include "prefix/untracked_files.hpp"

#include <algorithm>
#include <array>
#include <filesystem>
#include <string_view>

#include "base/filesystem.hpp"

namespace taipan {

namespace {

namespace fs = std::filesystem;

/// conda's list of what lies at the top of an installation and is no content of an environment.
constexpr std::array<std::string_view, 12> not_of_an_environment = {
    "pkgs",        "envs", "conda-bld",     "conda-meta", ".conda_lock", "users",
    "LICENSE.txt", "info", "conda-recipes", ".index",     ".unionfs",    ".nonadmin",
};
/// And in its bin: scripts that conda makes for itself.
constexpr std::array<std::string_view, 3> not_of_a_bin = {"bin/conda", "bin/activate", "bin/deactivate"};

template <class List> bool is_one_of(std::string_view name, const List& list) {
    return std::find(list.begin(), list.end(), name) != list.end();
}

/// `a/__pycache__/b.cpython-311.pyc` is of `a/b.py`; empty when it is no such name.
std::string source_of_bytecode(const std::string& path) {
    if (!path.ends_with(".pyc")) return {};
    const std::string_view directory = parent_path(path);
    if (base_name(directory) != "__pycache__") return path.substr(0, path.size() - 1);
    const std::string_view name = base_name(path);
    std::string source(parent_path(directory));
    if (!source.empty()) source += '/';
    source += name.substr(0, name.find('.'));
    return source + ".py";
}

} // namespace

Result<std::vector<std::string>>
untracked_files(const std::string& prefix, const std::unordered_set<std::string>& owned, const std::string& besides) {
    std::vector<std::string> found;
    std::error_code error;
    fs::recursive_directory_iterator entry(prefix, fs::directory_options::skip_permission_denied, error);
    for (const fs::recursive_directory_iterator end; !error && entry != end; entry.increment(error)) {
        const std::string full = entry->path().string();
        std::string path = full.substr(prefix.size() + 1);
        std::error_code of_entry;
        const bool is_directory = entry->symlink_status(of_entry).type() == fs::file_type::directory;
        if ((entry.depth() == 0 && is_one_of(path, not_of_an_environment)) || full == besides) {
            if (is_directory) entry.disable_recursion_pending();
            continue;
        }
        if (is_directory || path.ends_with('~') || owned.contains(path) || is_one_of(path, not_of_a_bin)) continue;
        if (const std::string source = source_of_bytecode(path); !source.empty() && owned.contains(source)) continue;
        found.push_back(std::move(path));
    }
    if (error) {
        return make_error(ErrorCode::io, "cannot list the files of " + prefix + ": " + error.message());
    }
    std::sort(found.begin(), found.end());
    return found;
}

} // namespace taipan
