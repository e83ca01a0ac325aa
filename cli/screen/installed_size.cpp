#include "screen/installed_size.hpp"

#include <sys/stat.h>

#include <dirent.h>

#include <fmt/format.h>

#include "prefix/prefix_data.hpp"

namespace taipan::cli {

namespace {

std::uint64_t size_on_disk(const std::string& path) {
    struct stat status {};
    if (::lstat(path.c_str(), &status) != 0 || !S_ISREG(status.st_mode)) return 0;
    return static_cast<std::uint64_t>(status.st_size);
}

} // namespace

Result<std::uint64_t> installed_size(const std::string& prefix, const PackageRecord& package) {
    TAIPAN_TRY(const auto record, load_prefix_record(prefix, package.dist_name()));
    std::uint64_t total = size_on_disk(prefix + "/conda-meta/" + package.dist_name() + ".json");
    for (const auto& path : record.paths) {
        const auto& entry = path.entry;
        if (entry.type == PathType::softlink || entry.type == PathType::directory) continue;
        total += entry.size ? *entry.size : size_on_disk(prefix + '/' + entry.path);
    }
    return total;
}

Result<std::uint64_t> environment_size(const std::string& prefix) {
    TAIPAN_TRY(const auto data, load_prefix(prefix, RecordDetail::identity));
    std::uint64_t total = 0;
    for (const auto& record : data.records) {
        TAIPAN_TRY(const auto size, installed_size(prefix, record.package));
        total += size;
    }
    const auto folder = prefix + "/conda-meta";
    if (DIR* stream = ::opendir(folder.c_str())) {
        while (const dirent* entry = ::readdir(stream)) {
            const std::string name(entry->d_name);
            if (!name.ends_with(".json")) total += size_on_disk(folder + '/' + name);
        }
        static_cast<void>(::closedir(stream));
    }
    return total;
}

std::string conda_bytes(std::uint64_t bytes) {
    const auto size = static_cast<double>(bytes);
    if (bytes < 1024) return fmt::format("{} B", bytes);
    if (bytes < 1024 * 1024) return fmt::format("{:.0f} KB", size / 1024);
    if (bytes < 1024ULL * 1024 * 1024) return fmt::format("{:.1f} MB", size / 1024 / 1024);
    return fmt::format("{:.2f} GB", size / 1024 / 1024 / 1024);
}

} // namespace taipan::cli
