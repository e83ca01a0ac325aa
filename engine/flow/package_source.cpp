#include "flow/package_source.hpp"

#include <algorithm>

#include "flow/plan_channels.hpp"
#include "model/pattern.hpp"

namespace taipan {

Result<ChannelPackages> ChannelPackages::load(Session& session, const std::vector<std::string>& channels,
                                              const std::vector<MatchSpec>& specs) {
    const Config& config = session.config();
    TAIPAN_TRY(const CacheAccess access, open_caches(config));
    TAIPAN_TRY(auto wanted, channels_of_request(channels, specs, config));
    if (wanted.empty()) return no_channels_error();
    TAIPAN_TRY(IndexPlace place, IndexPlace::choose(config, access.cache));
    TAIPAN_TRY(auto indexes,
               load_indexes(session, std::move(wanted), config.subdir, place.directory(), IndexUse::searching));
    return ChannelPackages(std::move(place), std::move(indexes));
}

InstalledPackages::InstalledPackages(std::vector<PackageRecord> records) : records_(std::move(records)) {
    std::sort(records_.begin(), records_.end(),
              [](const PackageRecord& a, const PackageRecord& b) { return a.name < b.name; });
}

Result<std::vector<Candidate>> InstalledPackages::candidates(std::string_view name) {
    std::vector<Candidate> found;
    const auto first =
        std::lower_bound(records_.begin(), records_.end(), name,
                         [](const PackageRecord& record, std::string_view n) { return record.name < n; });
    for (auto record = first; record != records_.end() && record->name == name; ++record) found.push_back({*record, 0});
    return found;
}

Result<std::vector<std::string>> InstalledPackages::names_matching(std::string_view glob) {
    std::vector<std::string> names = all_names();
    std::erase_if(names, [&](const std::string& name) { return !glob_matches(glob, name); });
    return names;
}

std::vector<std::string> InstalledPackages::all_names() {
    std::vector<std::string> names;
    for (const auto& record : records_) {
        if (names.empty() || names.back() != record.name) names.push_back(record.name);
    }
    return names;
}

} // namespace taipan
