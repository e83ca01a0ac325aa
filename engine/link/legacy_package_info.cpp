// Packages from before paths.json (conda-build < 2) tell the same in four text files, without hashes and without saying
// which paths are symlinks (conda-spec 1.7).

#include "link/legacy_package_info.hpp"

#include <algorithm>
#include <cerrno>
#include <string_view>
#include <unordered_map>

#include <fcntl.h>
#include <sys/stat.h>

#include "base/filesystem.hpp"

namespace taipan {

namespace {

/// The placeholder of packages that name none; it is written in three parts so that it is not itself replaced.
const std::string default_placeholder = std::string("/opt/anaconda1") + "anaconda2" + "anaconda3";

std::string_view strip(std::string_view text) {
    constexpr std::string_view blanks = " \t\r\n\f\v";
    const std::size_t first = text.find_first_not_of(blanks);
    if (first == std::string_view::npos) return {};
    return text.substr(first, text.find_last_not_of(blanks) - first + 1);
}

/// The stripped lines that are neither empty nor comments.
std::vector<std::string_view> lines_of(std::string_view text) {
    std::vector<std::string_view> lines;
    while (!text.empty()) {
        const std::size_t end = std::min(text.find('\n'), text.size());
        const std::string_view line = strip(text.substr(0, end));
        if (!line.empty() && line.front() != '#') lines.push_back(line);
        text.remove_prefix(std::min(end + 1, text.size()));
    }
    return lines;
}

/// Splits at blanks; a field may be wrapped in quotes, and there are no escapes.
std::vector<std::string> split_fields(std::string_view line) {
    std::vector<std::string> fields;
    std::size_t at = 0;
    while (true) {
        at = line.find_first_not_of(" \t", at);
        if (at == std::string_view::npos) return fields;
        std::string field;
        while (at < line.size() && line[at] != ' ' && line[at] != '\t') {
            const char c = line[at];
            const std::size_t close = c == '"' || c == '\'' ? line.find(c, at + 1) : std::string_view::npos;
            if (close == std::string_view::npos) {
                field.push_back(c);
                ++at;
            } else {
                field.append(line.substr(at + 1, close - at - 1));
                at = close + 1;
            }
        }
        fields.push_back(std::move(field));
    }
}

struct Placeholder {
    std::string text;
    FileMode mode = FileMode::text;
};

Result<std::unordered_map<std::string, Placeholder>> parse_has_prefix(std::string_view text) {
    std::unordered_map<std::string, Placeholder> placeholders;
    for (std::string_view line : lines_of(text)) {
        std::vector<std::string> fields = split_fields(line);
        if (fields.size() == 1) {
            placeholders[fields[0]] = {default_placeholder, FileMode::text};
        } else if (fields.size() == 3 && (fields[1] == "text" || fields[1] == "binary")) {
            placeholders[fields[2]] = {fields[0], fields[1] == "binary" ? FileMode::binary : FileMode::text};
        } else {
            return make_error(ErrorCode::corrupt_package,
                              "info/has_prefix has a line that is neither 'path' nor 'placeholder mode path': " +
                                  std::string(line));
        }
    }
    return placeholders;
}

} // namespace

Result<std::vector<PathEntry>> parse_legacy_paths(const PackageInfoTexts& texts) {
    TAIPAN_TRY(const auto placeholders, parse_has_prefix(texts.has_prefix));
    std::vector<std::string_view> no_link = lines_of(texts.no_link);
    const std::vector<std::string_view> no_softlink = lines_of(texts.no_softlink);
    no_link.insert(no_link.end(), no_softlink.begin(), no_softlink.end());
    std::sort(no_link.begin(), no_link.end());

    std::vector<PathEntry> paths;
    for (std::string_view line : lines_of(texts.files)) {
        if (!is_safe_relative_path(line)) {
            return make_error(ErrorCode::corrupt_package,
                              "info/files has '" + std::string(line) + "', which is no path inside the package");
        }
        PathEntry entry;
        entry.path = line;
        entry.no_link = std::binary_search(no_link.begin(), no_link.end(), line);
        if (const auto found = placeholders.find(entry.path); found != placeholders.end()) {
            entry.placeholder = found->second.text;
            entry.mode = found->second.mode;
        }
        paths.push_back(std::move(entry));
    }
    return paths;
}

Result<void> detect_symlinks(PackageLayout& layout, int package_dir_fd) {
    for (PathEntry& entry : layout.paths) {
        struct stat status {};
        if (::fstatat(package_dir_fd, entry.path.c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0) {
            if (errno != ENOENT && errno != ENOTDIR) return system_error(errno, "cannot stat", entry.path);
            return make_error(ErrorCode::corrupt_package, "info/files lists " + entry.path + ", which is not there");
        }
        entry.type = S_ISLNK(status.st_mode)   ? PathType::softlink
                     : S_ISDIR(status.st_mode) ? PathType::directory
                                               : PathType::hardlink;
    }
    return {};
}

} // namespace taipan
