#include <algorithm>
#include <map>

#include "base/filesystem.hpp"
#include "config/expand.hpp"
#include "config/lock_file.hpp"
#include "config/lock_reader.hpp"
#include "model/channel.hpp"

// pixi.lock, versions 4 to 7: `environments` name packages by URL, for each platform; `packages` says everything else
// about them. What a URL tells (name, version, build, subdir) is left out there since version 6.

namespace taipan {

namespace {

constexpr std::uint64_t first_version = 4, last_version = 7;

class PixiLockReader {
public:
    PixiLockReader(const YamlValue& document, const std::string& path, const RequestFileContext& context)
        : document_(document), path_(path), context_(context) {}

    Result<RequestFile> read() {
        file_.kind = RequestFile::Kind::lock;
        file_.path = path_;
        file_.pip_no_deps = true;
        TAIPAN_CHECK(check_version());
        TAIPAN_CHECK(note_packages());
        TAIPAN_TRY(const YamlValue* const environment, wanted_environment());
        read_channels(*environment);
        read_pip_options(*environment);
        TAIPAN_TRY(const YamlValue* const selectors, wanted_platform(*environment));
        for (const auto& item : selectors->items) TAIPAN_CHECK(select(LockEntry(item, path_, context_)));
        if (!has_pip_packages_) file_.pip.clear();
        return std::move(file_);
    }

private:
    Result<void> check_version() const {
        const auto version = LockEntry(document_, path_, context_).number("version");
        if (version && *version >= first_version && *version <= last_version) return {};
        return make_error(ErrorCode::parse, path_ + " is a pixi.lock of version " +
                                                LockEntry(document_, path_, context_).word("version") +
                                                "; versions 4 to 7 can be read");
    }

    /// By where they are: until version 5 in `url` (or `path`), then behind the kind.
    Result<void> note_packages() {
        const auto* const packages = document_.find("packages");
        for (const auto& item : packages->items) {
            const LockEntry entry(item, path_, context_);
            if (!item.is_map()) return entry.error("an entry of 'packages' is no map");
            std::string kind = entry.word("kind"), place;
            if (kind.empty()) {
                for (const char* const key : {"conda", "pypi", "conda_source"}) {
                    if (item.find(key) == nullptr) continue;
                    kind = key;
                    place = entry.word(key);
                    break;
                }
            } else {
                place = entry.word("url");
                if (place.empty()) place = entry.word("path");
            }
            if (kind.empty() || place.empty()) return entry.error("a package is neither of conda nor of pypi");
            packages_[{kind, place}].push_back(&item);
        }
        return {};
    }

    Result<const YamlValue*> wanted_environment() const {
        const YamlValue& environments = *document_.find("environments");
        const std::string name = context_.lock_environment.empty() ? "default" : context_.lock_environment;
        if (const auto* const found = environments.find(name)) return found;
        // A file with one environment leaves no choice.
        if (context_.lock_environment.empty() && environments.members.size() == 1)
            return &environments.members.front().second;
        std::set<std::string> names;
        for (const auto& [known, value] : environments.members) names.insert(known);
        return make_error(ErrorCode::parse, path_ + " has no environment '" + name + "', but " + listed(names) +
                                                "; say which with -e/--environment");
    }

    /// The packages for the platform. Since version 7 a platform may have a name of its own.
    Result<const YamlValue*> wanted_platform(const YamlValue& environment) const {
        static const YamlValue nothing;
        const auto* const packages = environment.find("packages");
        const YamlValue& by_platform = packages == nullptr ? nothing : *packages;
        if (const auto* const found = by_platform.find(context_.subdir)) return found;
        std::set<std::string> names;
        for (const auto& [name, value] : by_platform.members) names.insert(name);
        if (const auto* const platforms = document_.find("platforms")) {
            for (const auto& item : platforms->items) {
                const LockEntry entry(item, path_, context_);
                if (entry.word("subdir") != context_.subdir) continue;
                if (const auto* const found = by_platform.find(entry.word("name"))) return found;
            }
        }
        if (names.empty()) return &nothing;
        return make_error(ErrorCode::parse, path_ + " is not locked for " + context_.subdir + ", only for " +
                                                listed(names) + "; say --platform, or lock it anew");
    }

    void read_channels(const YamlValue& environment) {
        const auto* const channels = environment.find("channels");
        if (channels == nullptr) return;
        for (const auto& item : channels->items) {
            std::string url = item.is_scalar() ? item.text : LockEntry(item, path_, context_).word("url");
            if (!url.empty()) file_.channels.push_back(expand_variables(url, context_.environment));
        }
    }

    /// Where pip looks for what is needed to build packages.
    void read_pip_options(const YamlValue& environment) {
        const LockEntry entry(environment, path_, context_);
        bool first = true;
        for (const auto& index : entry.words("indexes")) {
            file_.pip.push_back((first ? "--index-url " : "--extra-index-url ") + index);
            first = false;
        }
        const auto* const links = environment.find("find-links");
        if (links == nullptr) return;
        for (const auto& item : links->items) {
            const LockEntry link(item, path_, context_);
            const std::string place = link.word("url").empty() ? link.word("path") : link.word("url");
            if (!place.empty()) file_.pip.push_back("--find-links " + place);
        }
    }

    Result<void> select(const LockEntry& selector) {
        if (const std::string source = selector.word("conda_source"); !source.empty()) {
            return selector.error("'" + source + "' is to be built from source; only pixi can do that");
        }
        for (const std::string kind : {"conda", "pypi"}) {
            const std::string place = selector.word(kind);
            if (place.empty()) continue;
            const auto found = packages_.find({kind, place});
            const YamlValue* const chosen = found == packages_.end() ? nullptr : choose(found->second, selector);
            if (chosen == nullptr) {
                return selector.error("'" + without_credentials(place) + "' is not among the 'packages' of the file");
            }
            const LockEntry entry(*chosen, path_, context_);
            return kind == "conda" ? add_conda(place, entry) : add_pypi(place, entry);
        }
        return selector.error("a package is neither of conda nor of pypi");
    }

    /// One place may stand for several packages; then the selector says more about the one that is meant.
    [[nodiscard]] const YamlValue* choose(const std::vector<const YamlValue*>& candidates,
                                          const LockEntry& selector) const {
        for (const YamlValue* const candidate : candidates) {
            const LockEntry entry(*candidate, path_, context_);
            bool fits = true;
            for (const char* const key : {"name", "version", "build", "subdir"}) {
                const std::string wanted = selector.word(key);
                fits = fits && (wanted.empty() || wanted == entry.word(key));
            }
            if (fits) return candidate;
        }
        return nullptr;
    }

    Result<void> add_conda(const std::string& place, const LockEntry& entry) {
        LockedPackage package;
        auto& record = package.record;
        TAIPAN_TRY(package.url, entry.location(place));
        record.fn = entry.word("file_name");
        if (record.fn.empty()) record.fn = percent_decode(base_name(package.url));
        const auto parts = split_package_filename(record.fn);
        record.name = entry.word("name");
        record.version = entry.word("version");
        record.build = entry.word("build");
        if (parts) {
            if (record.name.empty()) record.name = parts->name;
            if (record.version.empty()) record.version = parts->version;
            if (record.build.empty()) record.build = parts->build;
        }
        if (!parts || record.name.empty() || record.version.empty()) {
            return entry.error("'" + without_credentials(place) +
                               "' is no package file but the source of one; only pixi can build it");
        }
        TAIPAN_TRY(record.md5, entry.digest("md5", 32));
        TAIPAN_TRY(record.sha256, entry.digest("sha256", 64));
        if (record.md5.empty() && record.sha256.empty() && path_of_file_url(package.url).empty()) {
            return entry.error("'" + record.name + "' has no hash, so what arrives could not be verified");
        }
        read_details(entry, record);
        package.complete = !record.sha256.empty();
        return add_locked(std::move(package), entry, file_);
    }

    static void read_details(const LockEntry& entry, PackageRecord& record) {
        record.subdir = entry.word("subdir");
        record.depends = entry.words("depends");
        record.constrains = entry.words("constrains");
        record.features = entry.word("features");
        for (const auto& feature : entry.words("track_features")) {
            record.track_features += (record.track_features.empty() ? "" : " ") + feature;
        }
        if (record.track_features.empty()) record.track_features = entry.word("track_features");
        record.license = entry.word("license");
        record.license_family = entry.word("license_family");
        record.python_site_packages_path = entry.word("python_site_packages_path");
        record.size = entry.number("size");
        record.legacy_bz2_md5 = entry.word("legacy_bz2_md5");
        record.legacy_bz2_size = entry.number("legacy_bz2_size");
        if (const auto number = entry.number("build_number")) record.build_number = static_cast<std::int64_t>(*number);
        if (const auto time = entry.number("timestamp")) record.timestamp = static_cast<std::int64_t>(*time);
        const std::string noarch = entry.word("noarch");
        if (noarch == "python") record.noarch = Noarch::python;
        if (noarch == "generic") record.noarch = Noarch::generic;
    }

    Result<void> add_pypi(const std::string& place, const LockEntry& entry) {
        has_pip_packages_ = true;
        constexpr std::string_view direct_mark = "direct+";
        std::string url = expand_variables(place, context_.environment);
        if (url.starts_with(direct_mark)) url.erase(0, direct_mark.size());
        TAIPAN_TRY(const auto sha256, entry.digest("sha256", 64));
        const bool is_url = url.find("://") != std::string::npos;
        if (!is_url && (sha256.empty() || entry.word("editable") == "true")) {
            // A folder with sources: pip runs where the lock file is.
            if (context_.base_directory.empty()) return entry.location(url).error();
            file_.pip.push_back((entry.word("editable") == "true" ? "-e " : "") + url);
            return {};
        }
        if (!is_url) {
            TAIPAN_TRY(url, entry.location(url));
        }
        std::string line = entry.word("name") + " @ " + url;
        if (!sha256.empty() && url.find('#') == std::string::npos) line += "#sha256=" + sha256;
        file_.pip.push_back(std::move(line));
        return {};
    }

    const YamlValue& document_;
    const std::string& path_;
    const RequestFileContext& context_;
    bool has_pip_packages_ = false;
    std::map<std::pair<std::string, std::string>, std::vector<const YamlValue*>> packages_; ///< by kind and place
    RequestFile file_;
};

} // namespace

bool is_pixi_lock(const YamlValue& document) {
    const auto* const environments = document.find("environments");
    const auto* const packages = document.find("packages");
    return document.find("version") != nullptr && environments != nullptr && environments->is_map() &&
           packages != nullptr && (packages->is_sequence() || packages->is_null());
}

Result<RequestFile> parse_pixi_lock(const YamlValue& document, const std::string& path,
                                    const RequestFileContext& context) {
    return PixiLockReader(document, path, context).read();
}

} // namespace taipan
