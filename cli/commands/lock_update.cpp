#include "commands/lock_update.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <set>
#include <utility>

#include "base/filesystem.hpp"
#include "config/yaml_value.hpp"
#include "model/record_json.hpp"
#include "prefix/history.hpp"
#include "prefix/prefix_data.hpp"

namespace taipan::cli {

namespace {

std::set<std::string> categories_in(const YamlValue& document) {
    std::set<std::string> categories;
    const auto* const packages = document.find("package");
    if (packages == nullptr) return categories;
    for (const auto& package : packages->items) {
        if (const auto* category = package.find("category"); category != nullptr) categories.insert(category->text);
    }
    return categories;
}

/// `https://host/channel/linux-64/name-1-0.conda` -> channel and subdir.
void place_by_url(PackageRecord& record, const std::string& url) {
    record.url = url;
    const auto file = url.rfind('/');
    const auto subdir = file == std::string::npos || file == 0 ? file : url.rfind('/', file - 1);
    if (subdir == std::string::npos) return;
    record.channel = url.substr(0, subdir);
    record.subdir = url.substr(subdir + 1, file - subdir - 1);
    record.fn = url.substr(file + 1, url.find_first_of("?#", file) - file - 1);
    std::string_view dist = record.fn;
    for (const std::string_view ending : {".conda", ".tar.bz2"})
        if (dist.ends_with(ending)) dist.remove_suffix(ending.size());
    const auto build = dist.rfind('-');
    if (build != std::string_view::npos) record.build = dist.substr(build + 1);
}

/// A directory of our own that goes with its scope.
class TemporaryDirectory {
public:
    static Result<TemporaryDirectory> make(const Config& config) {
        const auto found = config.environment.find("TMPDIR");
        std::string path = found == config.environment.end() || found->second.empty() ? "/tmp" : found->second;
        path += "/taipan-lock-XXXXXX";
        if (::mkdtemp(path.data()) == nullptr) return system_error(errno, "cannot make a directory like", path);
        return TemporaryDirectory(std::move(path));
    }
    TemporaryDirectory(TemporaryDirectory&& other) noexcept : path_(std::exchange(other.path_, {})) {}
    TemporaryDirectory(const TemporaryDirectory&) = delete;
    ~TemporaryDirectory() {
        std::error_code ignored; // what is left of it does no harm
        if (!path_.empty()) std::filesystem::remove_all(path_, ignored);
    }
    [[nodiscard]] const std::string& path() const { return path_; }

private:
    explicit TemporaryDirectory(std::string path) : path_(std::move(path)) {}
    std::string path_;
};

Result<void> write_environment(const std::string& prefix, const std::vector<PackageRecord>& records,
                               const std::vector<std::string>& requests) {
    TAIPAN_CHECK(make_directories(prefix + "/conda-meta"));
    std::vector<std::string> specs;
    for (const auto& text : requests) {
        TAIPAN_TRY(const auto spec, MatchSpec::parse(text));
        specs.push_back(spec.to_string());
    }
    const std::string history =
        "==> 2000-01-01 00:00:00 <==\n# cmd: taipan lock\n# update specs: " + python_list(specs) + '\n';
    TAIPAN_CHECK(write_file_atomic(prefix + "/conda-meta/history", history));
    for (const auto& record : records) {
        PrefixRecord installed;
        installed.package = record;
        TAIPAN_CHECK(
            write_file_atomic(prefix + "/conda-meta/" + record.dist_name() + ".json", prefix_record_json(installed)));
    }
    return {};
}

} // namespace

Result<std::vector<PackageRecord>> locked_records(const std::string& text, const std::string& path,
                                                  RequestFileContext context) {
    TAIPAN_TRY(const auto document, parse_yaml(text, path));
    const auto categories = categories_in(document);
    context.categories.assign(categories.begin(), categories.end());
    TAIPAN_TRY(const auto file, parse_request_file(text, path, context));
    if (file.kind != RequestFile::Kind::lock) {
        return make_error(ErrorCode::invalid_argument, path + " is no lock file, so nothing in it can be updated");
    }
    std::vector<PackageRecord> records;
    std::set<std::string> seen; // a package has an entry for each category
    for (const auto& package : file.locked) {
        auto record = package.record;
        place_by_url(record, package.url);
        if (seen.insert(record.name).second) records.push_back(std::move(record));
    }
    return records;
}

Result<std::vector<PackageRecord>> updated_lock(Session& session, const std::vector<PackageRecord>& locked,
                                                InstallRequest wish, const std::vector<std::string>& requests) {
    TAIPAN_TRY(const auto scratch, TemporaryDirectory::make(session.config()));
    wish.action = Action::update;
    wish.prefix = scratch.path() + "/environment";
    TAIPAN_CHECK(write_environment(wish.prefix, locked, requests));
    TAIPAN_TRY(const auto plan, make_plan(session, wish));
    for (const auto& text : plan.warnings) session.sink().note(Severity::warning, text);
    // What stays is written down as it was: what the solver was given of it is less.
    std::vector<PackageRecord> records;
    for (const auto& record : plan.final_state) {
        const auto known = std::find_if(locked.begin(), locked.end(), [&](const PackageRecord& other) {
            return other.name == record.name && other.dist_name() == record.dist_name();
        });
        records.push_back(known == locked.end() ? record : *known);
    }
    return records;
}

} // namespace taipan::cli
