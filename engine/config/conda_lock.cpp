#include <algorithm>

#include "config/lock_file.hpp"
#include "config/lock_reader.hpp"

// conda-lock.yml (CEP 37): one list with the packages of all platforms and categories. Every entry has a URL and
// hashes, so nothing but the wanted ones has to be picked out.
//
// Dependencies are a map from name to one constraint: a package that names one dependency twice has lost one of them on
// the way. They are taken as complete nevertheless when there is a sha256, as mamba does, since they carry the
// corrections of the channel that info/index.json does not have.

namespace taipan {

namespace {

constexpr std::string_view default_category = "main";

class CondaLockReader {
public:
    CondaLockReader(const YamlValue& document, const std::string& path, const RequestFileContext& context)
        : document_(document), path_(path), context_(context), categories_(context.categories) {
        if (categories_.empty()) categories_.emplace_back(default_category);
    }

    Result<RequestFile> read() {
        file_.kind = RequestFile::Kind::lock;
        file_.path = path_;
        file_.pip_no_deps = true;
        TAIPAN_CHECK(check_version());
        const YamlValue& packages = *document_.find("package");
        for (const auto& item : packages.items) {
            const LockEntry entry(item, path_, context_);
            if (!item.is_map()) return entry.error("an entry of 'package' is no map");
            TAIPAN_CHECK(read_entry(entry));
        }
        TAIPAN_CHECK(check_selection());
        return std::move(file_);
    }

private:
    Result<void> check_version() const {
        const LockEntry entry(document_, path_, context_);
        const std::string version = entry.word("version");
        // Files without version are those of conda-lock 0; "3" wrote dependencies as a list.
        if (version.empty() || version == "1" || version == "3") return {};
        return make_error(ErrorCode::parse, path_ + " is a lock file of version " + version +
                                                "; version 1 of conda-lock.yml can be read");
    }

    Result<void> read_entry(const LockEntry& entry) {
        const std::string platform = entry.word("platform");
        std::string category = entry.word("category");
        if (category.empty()) category = default_category;
        platforms_.insert(platform);
        if (platform != context_.subdir) return {};
        all_categories_.insert(category);
        if (std::find(categories_.begin(), categories_.end(), category) == categories_.end()) return {};
        const std::string manager = entry.word("manager");
        if (manager == "pip") return read_pip(entry);
        if (manager == "conda") return read_conda(entry);
        return entry.error("'" + manager + "' packages cannot be installed; only those of conda and pip can");
    }

    Result<void> read_conda(const LockEntry& entry) {
        LockedPackage package;
        auto& record = package.record;
        record.name = entry.word("name");
        if (record.name.starts_with("__")) return {}; // virtual: the machine has it or not
        record.version = entry.word("version");
        const std::string url = entry.word("url");
        if (record.name.empty() || url.empty()) return entry.error("a package has no 'name' or no 'url'");
        TAIPAN_TRY(package.url, entry.location(url));
        static const YamlValue nothing;
        const auto* const hash = entry.value().find("hash");
        const LockEntry hashes(hash == nullptr ? nothing : *hash, path_, context_);
        TAIPAN_TRY(record.md5, hashes.digest("md5", 32));
        TAIPAN_TRY(record.sha256, hashes.digest("sha256", 64));
        if (record.md5.empty() && record.sha256.empty()) {
            return entry.error("'" + record.name + "' has no hash, so what arrives could not be verified");
        }
        record.depends = specs(entry, "dependencies");
        record.constrains = specs(entry, "constrains");
        record.size = entry.number("size");
        package.complete = !record.sha256.empty() && !record.depends.empty();
        return add_locked(std::move(package), entry, file_);
    }

    /// A map from names to constraints, or (old) a list of specs.
    static std::vector<std::string> specs(const LockEntry& entry, std::string_view key) {
        std::vector<std::string> texts = entry.words(key);
        const auto* const found = entry.value().find(key);
        if (found == nullptr) return texts;
        for (const auto& [name, constraint] : found->members) {
            texts.push_back(constraint.text.empty() || constraint.text == "*" ? name : name + ' ' + constraint.text);
        }
        return texts;
    }

    Result<void> read_pip(const LockEntry& entry) {
        const std::string name = entry.word("name");
        std::string url = entry.word("url");
        static const YamlValue nothing;
        // What was asked for by URL is installed from that URL: the locked one names a build of it, or a commit.
        const auto* const source = entry.value().find("source");
        const std::string direct = LockEntry(source == nullptr ? nothing : *source, path_, context_).word("url");
        if (!direct.empty()) url = direct;
        if (name.empty() || url.empty()) return entry.error("a package for pip has no 'name' or no 'url'");
        const auto* const hash = entry.value().find("hash");
        const LockEntry hashes(hash == nullptr ? nothing : *hash, path_, context_);
        std::string line = name + " @ " + url;
        const bool is_file = !url.starts_with("git+") && !url.starts_with("hg+") && !url.starts_with("svn+");
        if (is_file && direct.empty() && url.find('#') == std::string::npos) {
            TAIPAN_TRY(const auto sha256, hashes.digest("sha256", 64));
            if (!sha256.empty()) line += "#sha256=" + sha256;
        }
        if (std::find(file_.pip.begin(), file_.pip.end(), line) == file_.pip.end()) {
            file_.pip.push_back(std::move(line));
        }
        return {};
    }

    /// A platform or category that is not there must not become an empty environment.
    Result<void> check_selection() {
        static const YamlValue nothing;
        const auto* const metadata = document_.find("metadata");
        const LockEntry about(metadata == nullptr ? nothing : *metadata, path_, context_);
        const auto named = about.words("platforms");
        platforms_.insert(named.begin(), named.end());
        if (!platforms_.empty() && !platforms_.contains(context_.subdir)) {
            return make_error(ErrorCode::parse, path_ + " is not locked for " + context_.subdir + ", only for " +
                                                    listed(platforms_) + "; say --platform, or lock it anew");
        }
        for (const auto& category : categories_) {
            if (category == default_category || all_categories_.contains(category)) continue;
            return make_error(ErrorCode::parse, path_ + " has no packages of the category '" + category + "' for " +
                                                    context_.subdir + "; it has " + listed(all_categories_));
        }
        return {};
    }

    const YamlValue& document_;
    const std::string& path_;
    const RequestFileContext& context_;
    std::vector<std::string> categories_;
    std::set<std::string> platforms_, all_categories_;
    RequestFile file_;
};

} // namespace

bool is_conda_lock(const YamlValue& document) {
    const auto* const packages = document.find("package");
    return packages != nullptr && (packages->is_sequence() || packages->is_null());
}

Result<RequestFile> parse_conda_lock(const YamlValue& document, const std::string& path,
                                     const RequestFileContext& context) {
    return CondaLockReader(document, path, context).read();
}

} // namespace taipan
