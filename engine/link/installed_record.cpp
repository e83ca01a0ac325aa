// The record says what is really on disk: as shipped where files were linked or copied, as rewritten where the
// prefix was replaced (conda-spec 4.2).

#include "link/installed_record.hpp"

#include <cerrno>
#include <string_view>
#include <unordered_set>
#include <utility>

#include <fcntl.h>
#include <sys/stat.h>

namespace taipan {

PrefixRecord installed_record(PackageRecord package, LinkPlan&& plan, const PlacedFiles& placed, RecordOrigin origin) {
    PrefixRecord record;
    record.files = plan.files();
    record.paths = std::move(plan.paths);
    for (InstalledPath& path : record.paths) {
        // conda records no sha256_in_prefix for symlinks; without a shipped hash there is none to repeat.
        if (path.entry.type == PathType::hardlink) path.sha256_in_prefix = path.entry.sha256;
    }
    for (const auto& [index, digest] : placed.digests) record.paths[index].sha256_in_prefix = digest;
    record.package = std::move(package);
    record.requested_specs = std::move(origin.requested_specs);
    record.package_tarball_full_path = std::move(origin.package_tarball_full_path);
    record.extracted_package_dir = std::move(origin.extracted_package_dir);
    record.link_source = record.extracted_package_dir;
    record.link_type = plan.link_type;
    return record;
}

void leave_out_gone_sources(PrefixRecord& record, const std::vector<PycItem>& modules, int prefix_fd) {
    std::unordered_set<std::string_view> gone;
    for (const PycItem& item : modules) {
        struct stat status {};
        if (item.replaces_source && ::fstatat(prefix_fd, item.source.c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0 &&
            errno == ENOENT) {
            gone.insert(item.source);
        }
    }
    if (gone.empty()) return;
    std::erase_if(record.paths, [&](const InstalledPath& path) { return gone.contains(path.entry.path); });
    std::erase_if(record.files, [&](const std::string& path) { return gone.contains(path); });
}

void stat_pyc_files(PrefixRecord& record, int prefix_fd) {
    for (InstalledPath& path : record.paths) {
        if (path.entry.type != PathType::pyc_file) continue;
        struct stat status {};
        if (::fstatat(prefix_fd, path.entry.path.c_str(), &status, AT_SYMLINK_NOFOLLOW) == 0) {
            path.entry.size = static_cast<std::uint64_t>(status.st_size);
        }
    }
}

} // namespace taipan
