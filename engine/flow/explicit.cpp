// From URLs to a plan. What a URL tells (name, version, build, channel, file name) is known at once; dependencies are,
// if a lock file names them or the package lies in the cache, and else only when the archive is there: the link stage
// puts packages in order then.

#include "flow/explicit.hpp"

#include <algorithm>
#include <map>

#include <sys/stat.h>

#include "base/filesystem.hpp"
#include "config/locked_package.hpp"
#include "model/channel.hpp"
#include "model/record_json.hpp"
#include "solve/topological.hpp"

namespace taipan {

namespace {

constexpr std::uint64_t record_size_limit = std::uint64_t{64} << 20U;

/// The channel of a URL with the credentials that stand in it, so that they are used for the download.
std::string channel_with_credentials(const std::string& url) {
    const std::string directory(parent_path(url));
    return is_known_subdir(std::string(base_name(directory))) ? std::string(parent_path(directory)) : directory;
}

std::string spec_of(const PackageRecord& record) {
    return record.channel_name + '/' + record.subdir + "::" + record.name + "==" + record.version + '=' + record.build;
}

/// What the cache knows of a package counts as far as nothing else is known.
void ask_cache(PlannedPackage& package, const PackageCache& cache) {
    const auto directory = cache.find_extracted(package.record);
    if (!directory) return;
    const auto text = read_regular_file(*directory + "/info/repodata_record.json", record_size_limit);
    if (!text) return;
    auto known = parse_package_record(*text);
    if (!known) return;
    auto& record = package.record;
    if (record.md5.empty()) record.md5 = known->md5;
    if (record.sha256.empty()) record.sha256 = known->sha256;
    if (!record.size) record.size = known->size;
    if (package.complete) return;
    record.depends = known->depends;
    record.constrains = known->constrains;
    record = merge_records(std::move(package.record), *known);
    package.complete = true;
}

bool is_same_package(const PackageRecord& installed, const PackageRecord& wanted) {
    if (installed.dist_name() != wanted.dist_name()) return false;
    if (!installed.sha256.empty() && !wanted.sha256.empty()) return installed.sha256 == wanted.sha256;
    if (!installed.md5.empty() && !wanted.md5.empty()) return installed.md5 == wanted.md5;
    return installed.url == wanted.url;
}

class ExplicitPlanner {
public:
    ExplicitPlanner(Plan& plan, const Config& config, const PackageCache& cache)
        : plan_(plan), config_(config), cache_(cache) {}

    Result<void> add(const MatchSpec& spec) {
        if (spec.url().empty()) {
            return make_error(ErrorCode::invalid_argument,
                              "cannot mix specifications with conda package filenames: " + spec.to_string() +
                                  " is asked for together with package URLs; install them in two steps");
        }
        PlannedPackage package;
        package.record.md5 = spec.md5();
        package.record.sha256 = spec.sha256();
        return add(std::move(package), spec.url());
    }

    Result<void> add(const LockedPackage& locked) {
        PlannedPackage package;
        package.record = locked.record;
        package.complete = locked.complete;
        return add(std::move(package), locked.url);
    }

    void carry_out(const std::vector<PackageRecord>& installed, const InstallRequest& request) {
        std::vector<PackageRecord> state, leaving;
        for (const auto& record : installed) {
            const auto found = wanted_.find(record.name);
            if (found == wanted_.end()) {
                (request.prune ? leaving : state).push_back(record);
            } else if (is_same_package(record, found->second.record) && !request.force_reinstall) {
                state.push_back(record);
                wanted_.erase(found);
            } else {
                leaving.push_back(record);
            }
        }
        for (const auto& [name, package] : wanted_) state.push_back(package.record);
        plan_.final_state = topological_sort(std::move(state));
        for (const auto& record : plan_.final_state) {
            const auto found = wanted_.find(record.name);
            if (found != wanted_.end()) plan_.link.push_back(std::move(found->second));
        }
        plan_.unlink = topological_sort(std::move(leaving));
        std::reverse(plan_.unlink.begin(), plan_.unlink.end());
    }

private:
    Result<void> add(PlannedPackage package, const std::string& url) {
        auto& record = package.record;
        TAIPAN_CHECK(complete_from_url(record, url, config_));
        if (record.url != url) plan_.channels.push_back(channel_with_credentials(url));
        package.from_url = true;
        package.requested_spec = spec_of(record);
        ask_cache(package, cache_);
        const auto known = wanted_.find(record.name);
        if (known != wanted_.end() && known->second.record.url == record.url) return {};
        if (known != wanted_.end()) {
            return make_error(ErrorCode::invalid_argument, "two packages of the name '" + record.name +
                                                               "' are asked for: " + known->second.record.url +
                                                               " and " + record.url);
        }
        plan_.update_specs.push_back(package.requested_spec);
        wanted_.emplace(record.name, std::move(package));
        return {};
    }

    Plan& plan_;
    const Config& config_;
    const PackageCache& cache_;
    std::map<std::string, PlannedPackage> wanted_; ///< by name
};

} // namespace

Result<void> complete_from_url(PackageRecord& record, const std::string& url, const Config& config) {
    record.url = without_credentials(url);
    if (record.fn.empty()) record.fn = percent_decode(base_name(record.url));
    const auto parts = split_package_filename(record.fn);
    if (!parts) {
        return make_error(ErrorCode::invalid_argument,
                          record.url + " does not end in <name>-<version>-<build>.conda or .tar.bz2");
    }
    if (record.name.empty()) record.name = parts->name;
    if (record.version.empty()) record.version = parts->version;
    if (record.build.empty()) record.build = parts->build;
    const std::string directory(parent_path(record.url));
    const std::string subdir(base_name(directory));
    const bool in_channel = is_known_subdir(subdir);
    record.channel = in_channel ? std::string(parent_path(directory)) : directory;
    if (record.subdir.empty()) record.subdir = in_channel ? subdir : config.subdir;
    record.channel_name = canonical_channel_name(record.channel, config.channel_settings);
    struct stat status {};
    const std::string path = path_of_file_url(record.url);
    if (!record.size && !path.empty() && ::stat(path.c_str(), &status) == 0 && S_ISREG(status.st_mode)) {
        record.size = static_cast<std::uint64_t>(status.st_size);
    }
    return {};
}

Result<void> plan_explicit(Plan& plan, const Session& session, const InstallRequest& request,
                           const std::vector<MatchSpec>& specs, const std::vector<PackageRecord>& installed,
                           const PackageCache& cache) {
    ExplicitPlanner planner(plan, session.config(), cache);
    for (const auto& spec : specs) TAIPAN_CHECK(planner.add(spec));
    for (const auto& package : request.locked) TAIPAN_CHECK(planner.add(package));
    planner.carry_out(installed, request);
    return {};
}

} // namespace taipan
