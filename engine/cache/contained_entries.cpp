#include "cache/contained_entries.hpp"

#include "base/filesystem.hpp"

namespace taipan {

namespace {

constexpr std::uint64_t largest_list = std::uint64_t{256} << 20;

std::string path_of(const std::string& cache_directory) { return cache_directory + "/.taipan-contained"; }

std::string line_of(std::string_view dist_name, const struct stat& status) {
    const auto changed = status.st_ctim.tv_sec * std::int64_t{1'000'000'000} + status.st_ctim.tv_nsec;
    std::string line = std::to_string(status.st_ino) + ' ' + std::to_string(changed) + ' ';
    line += dist_name;
    return line;
}

/// Calls `take` with every complete line; a last one that was cut off is left out.
template <typename Take> void for_each_line(std::string_view text, Take take) {
    for (std::size_t end = text.find('\n'); end != std::string_view::npos; end = text.find('\n')) {
        take(text.substr(0, end));
        text.remove_prefix(end + 1);
    }
}

} // namespace

ContainedEntries ContainedEntries::read(const std::string& cache_directory) {
    ContainedEntries entries;
    const auto text = read_file(path_of(cache_directory), largest_list);
    if (text) for_each_line(*text, [&](std::string_view line) { entries.lines_.emplace(line); });
    return entries;
}

bool ContainedEntries::contains(std::string_view dist_name, const struct stat& status) const {
    return !lines_.empty() && lines_.contains(line_of(dist_name, status));
}

Result<void> ContainedEntries::note(const std::string& cache_directory, std::string_view dist_name,
                                    const struct stat& status) {
    return append_to_file(path_of(cache_directory), line_of(dist_name, status) + '\n');
}

Result<void> ContainedEntries::prune(const std::string& cache_directory) {
    if (!exists(path_of(cache_directory))) return {};
    TAIPAN_TRY(const std::string text, read_file(path_of(cache_directory), largest_list));
    std::string kept;
    for_each_line(text, [&](std::string_view line) {
        const std::string directory = cache_directory + '/' + std::string(line.substr(line.rfind(' ') + 1));
        struct stat status {};
        if (::lstat(directory.c_str(), &status) != 0 || line_of(base_name(directory), status) != line) return;
        kept += line;
        kept += '\n';
    });
    if (kept.size() == text.size()) return {};
    return write_file_atomic(path_of(cache_directory), kept);
}

} // namespace taipan
