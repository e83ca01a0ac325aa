#include <cerrno>
#include <cstdio>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/filesystem.hpp"
#include "base/temporary_name.hpp"

namespace taipan {

namespace {

std::string name_beside(std::string_view parent, std::string_view name) {
    std::string path(parent);
    return temporary_name(path.append("/.taipan-").append(name));
}

} // namespace

Result<StagedDirectory> StagedDirectory::create(const std::string& parent, std::string_view name) {
    std::string path = name_beside(parent, name);
    while (::mkdir(path.c_str(), 0777) != 0) {
        if (errno != EEXIST) return system_error(errno, "cannot create directory", path);
        path = name_beside(parent, name);
    }
    auto fd = open_directory(path);
    if (!fd) {
        ::rmdir(path.c_str());
        return std::move(fd).error();
    }
    return StagedDirectory(path, std::move(*fd));
}

StagedDirectory::StagedDirectory(StagedDirectory&& other) noexcept
    : path_(std::move(other.path_)), fd_(std::move(other.fd_)) {
    other.path_.clear();
}

StagedDirectory::~StagedDirectory() {
    if (path_.empty()) return;
    // Nobody is left to hear of a failure here; the name marks the rest as ours for the next clean.
    static_cast<void>(static_cast<bool>(remove_tree(path_)));
}

Result<void> StagedDirectory::commit(const std::string& destination) {
    std::string aside;
    if (::rename(path_.c_str(), destination.c_str()) != 0) {
        if (errno != ENOTEMPTY && errno != EEXIST && errno != ENOTDIR) {
            return system_error(errno, "cannot move into place", destination);
        }
        aside = name_beside(parent_path(destination), "old");
        if (::rename(destination.c_str(), aside.c_str()) != 0 && errno != ENOENT) {
            return system_error(errno, "cannot move aside", destination);
        }
        if (::rename(path_.c_str(), destination.c_str()) != 0) {
            const int saved = errno;
            static_cast<void>(::rename(aside.c_str(), destination.c_str()));
            return system_error(saved, "cannot move into place", destination);
        }
    }
    path_.clear();
    if (!aside.empty()) TAIPAN_CHECK(remove_tree(aside));
    return {};
}

} // namespace taipan
