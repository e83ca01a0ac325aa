#include "prefix/pip_packages.hpp"

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <map>

#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/filesystem.hpp"
#include "model/version.hpp"

// Which Python packages did pip put here? site-packages tells what there is (*.dist-info, *.egg-info, *.egg-link); what
// a conda package lists among its files is conda's, the rest is pip's. Loading every record with its files would make
// `list` slow, so a record is searched as text for the one line that would own the package, and nearly always the first
// record looked at (the one of the same name) has it. INSTALLER, which conda packages mostly carry, saves even that.

namespace taipan {

namespace {

std::string_view trimmed(std::string_view text) {
    constexpr std::string_view blanks = " \t\r\n";
    const auto first = text.find_first_not_of(blanks);
    return first == std::string_view::npos ? std::string_view()
                                           : text.substr(first, text.find_last_not_of(blanks) - first + 1);
}

constexpr std::size_t block_size = 32U << 10U;
constexpr std::uint64_t metadata_limit = 8U << 20U;

std::string site_packages(const PrefixData& data) {
    const auto* python = data.find("python");
    if (python == nullptr) return {};
    if (!python->package.python_site_packages_path.empty()) return python->package.python_site_packages_path;
    const auto version = Version::parse(python->package.version);
    return version ? "lib/python" + version->major_minor() + "/site-packages" : std::string();
}

/// One entry of site-packages that describes a package.
struct Found {
    std::string anchor;    ///< path in the prefix that its owner lists
    std::string metadata;  ///< absolute path of the text with name and version
    std::string installer; ///< absolute path, may be missing
    bool editable = false;
};

std::vector<Found> find_entries(const std::string& prefix, const std::string& site) {
    std::vector<Found> entries;
    DIR* stream = ::opendir((prefix + '/' + site).c_str());
    if (stream == nullptr) return entries;
    while (const dirent* entry = ::readdir(stream)) {
        const std::string path = site + '/' + entry->d_name;
        const std::string full = prefix + '/' + path;
        if (path.ends_with(".dist-info")) {
            if (!exists(full + "/RECORD")) continue; // as conda: pip could not take it out
            entries.push_back({path + "/RECORD", full + "/METADATA", full + "/INSTALLER", false});
        } else if (path.ends_with(".egg-info") && is_directory(full)) {
            entries.push_back({path + "/PKG-INFO", full + "/PKG-INFO", {}, false});
        } else if (path.ends_with(".egg-info")) {
            entries.push_back({path, full, {}, false});
        } else if (path.ends_with(".egg-link")) {
            entries.push_back({path, full, {}, true});
        }
    }
    static_cast<void>(::closedir(stream));
    std::sort(entries.begin(), entries.end(), [](const Found& a, const Found& b) { return a.anchor < b.anchor; });
    return entries;
}

/// Answers whether some conda record lists a path; keeps the texts it has read.
class Owners {
public:
    explicit Owners(const PrefixData& data) : data_(data) {}

    bool own(const std::string& anchor, const std::string& likely_name) {
        const std::string quoted = '"' + anchor + '"';
        const auto* likely = data_.find(likely_name);
        if (likely != nullptr && soon_has(*likely, quoted)) return true;
        return std::any_of(data_.records.begin(), data_.records.end(),
                           [&](const PrefixRecord& record) { return &record != likely && has(record, quoted); });
    }

private:
    [[nodiscard]] std::string path_of(const PrefixRecord& record) const {
        return data_.prefix + "/conda-meta/" + record.package.dist_name() + ".json";
    }

    /// Reads only as far as it must: what a record lists comes early in it.
    bool soon_has(const PrefixRecord& record, const std::string& quoted) {
        const UniqueFd fd(::open(path_of(record).c_str(), O_RDONLY | O_CLOEXEC));
        if (!fd) return false;
        buffer_.resize(block_size);
        std::size_t filled = 0;
        while (true) {
            const ssize_t got = ::read(fd.get(), buffer_.data() + filled, buffer_.size() - filled);
            if (got < 0 && errno == EINTR) continue;
            if (got <= 0) return false;
            filled += static_cast<std::size_t>(got);
            const std::string_view seen(buffer_.data(), filled);
            if (seen.find(quoted) != std::string_view::npos) return true;
            const std::size_t kept = std::min(filled, quoted.size()); // a match may span two blocks
            buffer_.replace(0, kept, buffer_, filled - kept, kept);
            filled = kept;
        }
    }

    bool has(const PrefixRecord& record, const std::string& quoted) {
        const auto name = record.package.dist_name();
        auto text = texts_.find(name);
        if (text == texts_.end()) {
            auto read = read_file(path_of(record));
            text = texts_.emplace(name, read ? std::move(*read) : std::string()).first;
        }
        return text->second.find(quoted) != std::string::npos;
    }

    const PrefixData& data_;
    std::string buffer_;
    std::map<std::string, std::string> texts_;
};

/// An egg-link's first line is the directory of the sources, whose *.egg-info has the metadata.
PythonIdentity identity_of(const Found& entry) {
    const auto text = read_file(entry.metadata, metadata_limit);
    if (!text) return {};
    if (!entry.editable) return parse_python_metadata(*text);
    const std::string directory(trimmed(std::string_view(*text).substr(0, text->find('\n'))));
    DIR* stream = ::opendir(directory.c_str());
    PythonIdentity identity;
    if (stream == nullptr) return identity;
    while (const dirent* file = ::readdir(stream)) {
        const std::string_view name(file->d_name);
        if (!name.ends_with(".egg-info")) continue;
        if (const auto info = read_file(directory + '/' + std::string(name) + "/PKG-INFO", metadata_limit)) {
            identity = parse_python_metadata(*info);
        }
    }
    static_cast<void>(::closedir(stream));
    return identity;
}

PackageRecord pypi_record(PythonIdentity identity, bool editable) {
    PackageRecord record;
    record.name = normalised_python_name(identity.name);
    record.version = std::move(identity.version);
    record.build = editable ? "dev_0" : "pypi_0";
    record.channel = "https://conda.anaconda.org/pypi";
    record.channel_name = editable ? "<develop>" : "pypi";
    record.subdir = "pypi";
    return record;
}

} // namespace

std::string normalised_python_name(std::string_view name) {
    std::string out;
    for (const char c : name) {
        if (c == '-' || c == '_' || c == '.') {
            if (!out.empty() && out.back() != '-') out.push_back('-');
        } else {
            out.push_back(c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c);
        }
    }
    return out;
}

PythonIdentity parse_python_metadata(std::string_view text) {
    PythonIdentity identity;
    std::size_t at = 0;
    while (at < text.size()) {
        const std::size_t end = std::min(text.find('\n', at), text.size());
        const auto line = text.substr(at, end - at);
        at = end + 1;
        if (trimmed(line).empty()) break; // headers end here
        if (line.starts_with("Name:") && identity.name.empty()) identity.name = trimmed(line.substr(5));
        if (line.starts_with("Version:") && identity.version.empty()) identity.version = trimmed(line.substr(8));
    }
    if (identity.name.empty() || identity.version.empty()) return {};
    return identity;
}

namespace {

/// A package of pip's and where its metadata are.
struct PipPackage {
    PackageRecord package;
    std::string anchor; ///< path in the prefix
};

std::vector<PipPackage> find_pip_packages(const PrefixData& data) {
    std::vector<PipPackage> packages;
    const auto site = site_packages(data);
    if (site.empty()) return packages;
    Owners owners(data);
    for (const auto& entry : find_entries(data.prefix, site)) {
        if (!entry.installer.empty()) {
            const auto installer = read_file(entry.installer, metadata_limit);
            if (installer && trimmed(*installer) == "conda") continue;
        }
        auto identity = identity_of(entry);
        if (identity.name.empty()) continue;
        auto record = pypi_record(std::move(identity), entry.editable);
        if (!owners.own(entry.anchor, record.name)) packages.push_back({std::move(record), entry.anchor});
    }
    std::sort(packages.begin(), packages.end(),
              [](const PipPackage& a, const PipPackage& b) { return a.package.name < b.package.name; });
    return packages;
}

/// The first field of a line of RECORD, which is CSV: in quotes when it has a comma or a quote in it.
std::string first_field(std::string_view line) {
    if (!line.starts_with('"')) return std::string(line.substr(0, line.find(',')));
    std::string field;
    for (std::size_t i = 1; i < line.size(); ++i) {
        if (line[i] == '"' && !line.substr(i + 1).starts_with('"')) break;
        if (line[i] == '"') ++i;
        field.push_back(line[i]);
    }
    return field;
}

/// A path that RECORD gives relative to site-packages, relative to the prefix; empty when it is not in it.
std::string path_in_prefix(const std::string& site, const std::string& file) {
    if (file.empty() || file.front() == '/') return {};
    const auto path = std::filesystem::path(site + '/' + file).lexically_normal().string();
    return is_safe_relative_path(path) ? path : std::string();
}

} // namespace

Result<std::vector<PackageRecord>> pip_packages(const PrefixData& data) {
    std::vector<PackageRecord> packages;
    for (auto& found : find_pip_packages(data)) packages.push_back(std::move(found.package));
    return packages;
}

Result<std::vector<PrefixRecord>> pip_records(const PrefixData& data, const std::set<std::string>& names) {
    std::vector<PrefixRecord> records;
    for (auto& found : find_pip_packages(data)) {
        if (!names.contains(found.package.name) || base_name(found.anchor) != "RECORD") continue;
        TAIPAN_TRY(const auto text, read_file(data.prefix + '/' + found.anchor, metadata_limit));
        const std::string site(parent_path(parent_path(found.anchor)));
        PrefixRecord record;
        record.package = std::move(found.package);
        for (std::size_t at = 0; at < text.size();) {
            const auto end = std::min(text.find('\n', at), text.size());
            auto path = path_in_prefix(site, first_field(trimmed(std::string_view(text).substr(at, end - at))));
            if (!path.empty()) record.files.push_back(std::move(path));
            at = end + 1;
        }
        records.push_back(std::move(record));
    }
    return records;
}

} // namespace taipan
