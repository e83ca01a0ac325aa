#include "flow/warm.hpp"

#include <algorithm>
#include <ctime>
#include <map>
#include <set>

#include "base/filesystem.hpp"
#include "base/json_writer.hpp"
#include "cache/cache_uses.hpp"
#include "cache/package_cache.hpp"
#include "flow/fetch_archives.hpp"
#include "flow/materialise.hpp"
#include "flow/plan_channels.hpp"

namespace taipan {

namespace {

constexpr std::size_t most_names = 30;

bool same_archive(const PackageRecord& a, const PackageRecord& b) {
    if (a.fn != b.fn) return false;
    if (!a.sha256.empty() && !b.sha256.empty()) return a.sha256 == b.sha256;
    if (!a.md5.empty() && !b.md5.empty()) return a.md5 == b.md5;
    return a.url == b.url;
}

Error two_of_one_name(const PackageRecord& a, const PackageRecord& b) {
    return make_error(ErrorCode::invalid_argument,
                      "two different packages are to be kept as " + a.dist_name() + ": " + a.url + " and " + b.url +
                          "; a package cache holds one of them, so warm two caches (CONDA_PKGS_DIRS), one after the "
                          "other");
}

/// Archives that must be at hand when nothing can be fetched.
Result<void> require_all(const Plan& plan) {
    std::vector<const PackageRecord*> missing;
    for (const auto& package : plan.link) {
        const PackageRecord& record = package.record;
        const bool local = exists(path_of_file_url(record.url));
        if (!local && package.cached == CacheState::missing) missing.push_back(&record);
    }
    if (missing.empty()) return {};
    std::string text = std::to_string(missing.size()) + " of " + std::to_string(plan.link.size()) +
                       " packages are not in the cache, and --offline forbids fetching them:";
    for (std::size_t i = 0; i < std::min(missing.size(), most_names); ++i)
        text += "\n  " + missing[i]->subdir + '/' + missing[i]->fn;
    if (missing.size() > most_names) text += "\n  and " + std::to_string(missing.size() - most_names) + " more";
    JsonWriter details;
    details.begin_object().key("missing").begin_array();
    for (const auto* record : missing) details.value(record->url);
    details.end_array().end_object();
    Error error = make_error(ErrorCode::offline, text);
    error.details = details.take();
    return error;
}

} // namespace

Result<Plan> join_plans(const std::vector<Plan>& plans) {
    Plan joined;
    joined.action = Action::create;
    std::map<std::string, std::size_t> places; ///< in `link`, by dist name
    std::set<std::string> channels;
    for (const auto& plan : plans) {
        for (const auto& package : plan.link) {
            const auto [place, fresh] = places.emplace(package.record.dist_name(), joined.link.size());
            if (fresh) {
                joined.link.push_back(package);
            } else if (const auto& other = joined.link[place->second].record; !same_archive(other, package.record)) {
                return two_of_one_name(other, package.record);
            }
        }
        for (const auto& channel : plan.channels) {
            if (channels.insert(channel).second) joined.channels.push_back(channel);
        }
    }
    return joined;
}

Result<void> look_for_archives(Session& session, Plan& plan) {
    TAIPAN_TRY(const PackageCache cache, PackageCache::open(session.config().pkgs_dirs));
    for (auto& package : plan.link) {
        auto found = cache.find_archive(package.record);
        package.cached = found ? CacheState::archive : CacheState::missing;
        package.location = found ? *std::move(found) : std::string();
    }
    return {};
}

Result<InstallReport> warm_cache(Session& session, const Plan& plan, WarmForm form) {
    raise_open_file_limit();
    InstallReport report;
    TAIPAN_TRY(const PackageCache cache, PackageCache::open(session.config().pkgs_dirs));
    TAIPAN_TRY(const auto channels, channels_of_request(plan.channels, {}, session.config()));
    if (session.config().offline) TAIPAN_CHECK(require_all(plan));
    if (form == WarmForm::archives) {
        TAIPAN_CHECK(fetch_archives(session, cache, channels, plan.link, report));
    } else {
        TAIPAN_CHECK(materialise(
            session, cache, channels, plan.link, [](CachedPackage) { return Result<void>(); }, report));
    }
    note_use_of_cache(cache.writable_directory(), plan);
    return report;
}

void note_use_of_cache(const std::string& cache_directory, const Plan& plan) {
    if (plan.link.empty() || cache_directory.empty()) return;
    CacheUse use;
    use.time = std::time(nullptr);
    for (const auto& package : plan.link) {
        use.extracted += package.cached == CacheState::extracted ? 1 : 0;
        use.archives += package.cached == CacheState::archive ? 1 : 0;
        use.fetched += package.cached == CacheState::missing ? 1 : 0;
    }
    use.fetched_bytes = plan.download_bytes();
    // Statistics are not worth an error.
    static_cast<void>(static_cast<bool>(note_cache_use(cache_directory, use)));
}

} // namespace taipan
