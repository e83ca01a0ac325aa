// What place_file does to a prefix, without a prefix: the same rules for what becomes of each path, but the result is
// handed to the caller.

#include "link/placed_content.hpp"

#include <algorithm>
#include <cerrno>
#include <climits>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/beneath.hpp"
#include "base/copy_file.hpp"
#include "base/digest.hpp"
#include "link/prefix_rewrite.hpp"

namespace taipan {

std::string PlacedContentReader::shown(const char* name) const {
    const std::string& below = group_->source_directory;
    return package_directory_ + '/' + (below.empty() ? below : below + '/') + name;
}

Error PlacedContentReader::wrong(const char* name, const std::string& why) const {
    return make_error(ErrorCode::corrupt_package, "package " + plan_.package + " lists " + shown(name) + ", which " +
                                                      why + "; remove the directory of the package and try again");
}

Result<void> PlacedContentReader::enter(const LinkGroup& group) {
    if (group_ == &group) return {};
    if (!package_) {
        TAIPAN_TRY(package_, open_directory(package_directory_));
    }
    group_ = &group;
    directory_ = open_directory_beneath(package_.get(), group.source_directory);
    if (directory_) return {};
    const int saved = errno;
    group_ = nullptr;
    const std::string path = package_directory_ + '/' + group.source_directory;
    if (saved != ENOENT && saved != ENOTDIR && saved != EXDEV) {
        return system_error(saved, "cannot open directory", path);
    }
    return make_error(ErrorCode::corrupt_package, "package " + plan_.package + " has no directory " + path +
                                                      ", in which it lists files; remove the directory of the package "
                                                      "and try again");
}

Result<PlacedContent> PlacedContentReader::read_symlink(const char* name) {
    PlacedContent content;
    content.symlink = true;
    content.bytes.resize(PATH_MAX);
    const ssize_t length = ::readlinkat(directory_.get(), name, content.bytes.data(), content.bytes.size());
    if (length < 0) return system_error(errno, "cannot read the link", shown(name));
    content.bytes.resize(static_cast<std::size_t>(length));
    content.mode = 0777;
    return content;
}

Result<PlacedContent> PlacedContentReader::read_file(const LinkAction& action, const char* name) {
    const PathEntry& entry = plan_.paths[action.path].entry;
    TAIPAN_TRY(SourceFile source, open_source_file(directory_.get(), name, shown(name)));
    PlacedContent content;
    content.mode = source.status.st_mode & 07777U;
    content.modified = source.status.st_mtim.tv_sec;
    content.size = static_cast<std::uint64_t>(source.status.st_size);
    if (action.kind != PlaceKind::rewrite_text && action.kind != PlaceKind::rewrite_binary) {
        content.fd = std::move(source.fd);
        return content;
    }
    TAIPAN_CHECK(read_content(source, content.bytes, shown(name)));
    auto changed = rewrite_prefix(content.bytes, entry.placeholder, plan_.new_prefix, entry.mode, plan_.platform);
    if (!changed) {
        return std::move(changed)
            .context("while replacing the prefix in " + entry.path + " of " + plan_.package)
            .error();
    }
    content.size = content.bytes.size();
    content.sha256 = sha256_hex(content.bytes);
    return content;
}

Result<PlacedContent> PlacedContentReader::read(std::uint32_t index) {
    const LinkAction& action = plan_.actions[index];
    const std::string& path = plan_.paths[action.path].entry.path;
    if (action.kind == PlaceKind::entry_point) {
        PlacedContent content;
        content.bytes = plan_.entry_points[action.path - (plan_.paths.size() - plan_.entry_points.size())].text;
        content.size = content.bytes.size();
        content.mode = 0755;
        return content;
    }
    const auto group = std::upper_bound(plan_.groups.begin(), plan_.groups.end(), index,
                                        [](std::uint32_t i, const LinkGroup& g) { return i < g.last; });
    if (group == plan_.groups.end()) return make_error(ErrorCode::internal, "no such link action");
    TAIPAN_CHECK(enter(*group));
    const char* const name =
        action.source_name.empty() ? path.c_str() + (path.size() - base_name(path).size()) : action.source_name.c_str();
    struct stat status {};
    if (::fstatat(directory_.get(), name, &status, AT_SYMLINK_NOFOLLOW) != 0) {
        return errno == ENOENT ? wrong(name, "is not there") : system_error(errno, "cannot look at", shown(name));
    }
    const bool rewritten = action.kind == PlaceKind::rewrite_text || action.kind == PlaceKind::rewrite_binary;
    if (S_ISLNK(status.st_mode) && !rewritten) return read_symlink(name);
    if (S_ISREG(status.st_mode)) return read_file(action, name);
    return wrong(name, "is no file");
}

} // namespace taipan
