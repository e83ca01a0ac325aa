// Package file names: `<name>-<version>-<build>` and one of two extensions. Only the name may contain `-`, so they are
// split from the right (conda-spec 1.1).

#include "model/record.hpp"

#include <array>

namespace taipan {

namespace {

constexpr std::array<std::string_view, 2> extensions = {".conda", ".tar.bz2"};

std::string_view extension_of(std::string_view filename) {
    for (std::string_view extension : extensions)
        if (filename.ends_with(extension)) return filename.substr(filename.size() - extension.size());
    return {};
}

} // namespace

bool has_package_extension(std::string_view filename) { return !extension_of(filename).empty(); }

std::string_view package_stem(std::string_view filename) {
    return filename.substr(0, filename.size() - extension_of(filename).size());
}

std::optional<DistParts> split_dist_name(std::string_view stem) {
    const auto before_build = stem.rfind('-');
    if (before_build == std::string_view::npos || before_build == 0) return std::nullopt;
    const auto before_version = stem.rfind('-', before_build - 1);
    if (before_version == std::string_view::npos) return std::nullopt;
    DistParts parts;
    parts.name = stem.substr(0, before_version);
    parts.version = stem.substr(before_version + 1, before_build - before_version - 1);
    parts.build = stem.substr(before_build + 1);
    if (parts.name.empty() || parts.version.empty() || parts.build.empty()) return std::nullopt;
    // These parts become names of files and directories.
    if (stem.find('/') != std::string_view::npos || stem.find('\0') != std::string_view::npos) return std::nullopt;
    return parts;
}

std::optional<DistParts> split_package_filename(std::string_view filename) {
    const std::string_view extension = extension_of(filename);
    if (extension.empty()) return std::nullopt;
    auto parts = split_dist_name(package_stem(filename));
    if (parts) parts->extension = extension;
    return parts;
}

} // namespace taipan
