#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace taipan {

enum class Noarch { none, python, generic };

/// One package as a channel (or a prefix, or an archive) describes it. Field names follow repodata (CEP 36).
/// No field carries credentials.
struct PackageRecord {
    std::string name;    ///< lower case
    std::string version; ///< as written
    std::string build;   ///< build string
    std::int64_t build_number = 0;
    std::string channel;      ///< base URL without subdir, e.g. https://conda.anaconda.org/conda-forge
    std::string channel_name; ///< canonical name (conda-spec 7.2), e.g. conda-forge
    std::string subdir;
    std::string fn;  ///< archive file name with extension
    std::string url; ///< where the archive is, without credentials
    std::string md5, sha256;
    std::optional<std::uint64_t> size; ///< of the archive, bytes
    std::string legacy_bz2_md5;
    std::optional<std::uint64_t> legacy_bz2_size;
    std::vector<std::string> depends, constrains; ///< match specs as written in repodata
    Noarch noarch = Noarch::none;
    std::string track_features; ///< blank-separated
    std::string features;
    std::string license, license_family;
    std::optional<std::int64_t> timestamp; ///< milliseconds since the epoch
    std::string python_site_packages_path; ///< CEP 17, only on python itself
    std::string arch, platform, date;

    /// `<name>-<version>-<build>`: the directory name in the cache and the file stem in conda-meta.
    [[nodiscard]] std::string dist_name() const { return name + '-' + version + '-' + build; }
    /// `<channel name>/<subdir>::<dist name>`, the form of history lines.
    [[nodiscard]] std::string dist_string() const { return channel_name + '/' + subdir + "::" + dist_name(); }
};

/// The three parts of a package file name plus its extension.
struct DistParts {
    std::string_view name, version, build;
    std::string_view extension; ///< ".conda" or ".tar.bz2"
};

/// Splits `<name>-<version>-<build>.(conda|tar.bz2)` from the right; nullopt if it is no package file name.
[[nodiscard]] std::optional<DistParts> split_package_filename(std::string_view filename);
/// The same without extension.
[[nodiscard]] std::optional<DistParts> split_dist_name(std::string_view stem);
/// The file name without its package extension.
[[nodiscard]] std::string_view package_stem(std::string_view filename);
[[nodiscard]] bool has_package_extension(std::string_view filename);

/// What is on disk of one path of a package (`info/paths.json`, or synthesised from the old metadata files).
enum class PathType { hardlink, softlink, directory, pyc_file, unix_python_entry_point };
enum class FileMode { text, binary };

struct PathEntry {
    std::string path; ///< relative, forward slashes; as shipped (before noarch-python relocation)
    PathType type = PathType::hardlink;
    std::string placeholder; ///< prefix placeholder, empty when none
    FileMode mode = FileMode::text;
    bool no_link = false;
    std::string sha256;                ///< as shipped; empty when unknown
    std::optional<std::uint64_t> size; ///< as shipped, bytes
};

/// How the files of a package came into the prefix (numbers are conda's).
enum class LinkType { hardlink = 1, softlink = 2, copy = 3 };

/// One entry of paths_data in a conda-meta record.
struct InstalledPath {
    PathEntry entry; ///< with `path` as it lies in the prefix
    std::string sha256_in_prefix;
};

/// One installed package: `conda-meta/<dist name>.json`.
struct PrefixRecord {
    PackageRecord package;
    std::vector<std::string> requested_specs; ///< canonical; empty for dependencies
    std::string package_tarball_full_path;
    std::string extracted_package_dir;
    std::vector<std::string> files; ///< target paths, in order; directories are not listed
    std::vector<InstalledPath> paths;
    std::string link_source;
    LinkType link_type = LinkType::hardlink;
};

} // namespace taipan
