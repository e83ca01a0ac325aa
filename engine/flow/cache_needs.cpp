#include "flow/cache_needs.hpp"

#include <algorithm>
#include <map>

#include "base/filesystem.hpp"
#include "cache/package_cache.hpp"
#include "flow/fetch_archives.hpp"
#include "flow/plan_channels.hpp"
#include "repodata/cache_state.hpp"

namespace taipan {

namespace {

constexpr std::size_t most_names = 20;

void add_index_keys(NeededEntries& needed, const Channel& channel, const std::string& subdir, const Config& config) {
    const std::string url = channel.authenticated(channel.base_url + '/' + subdir);
    needed.add_index(repodata_cache_key(url, "repodata.json", config.use_only_tar_bz2));
    needed.add_index(repodata_cache_key(url, "repodata_shards.msgpack.zst"));
}

/// Where the archives of a cache came from, by file name; conda keeps that in `urls.txt`.
std::map<std::string, std::string> urls_of(const std::string& cache_directory) {
    std::map<std::string, std::string> urls;
    const auto text = read_regular_file(cache_directory + "/urls.txt", std::uint64_t{256} << 20U);
    if (!text) return urls;
    std::string_view rest = *text;
    while (!rest.empty()) {
        const std::size_t end = std::min(rest.find('\n'), rest.size());
        const std::string url = without_credentials(rest.substr(0, end));
        rest.remove_prefix(std::min(end + 1, rest.size()));
        urls.insert_or_assign(percent_decode(base_name(url)), url);
    }
    return urls;
}

bool has_form(CacheEntryKind kind, const CacheForms& forms) {
    switch (kind) {
    case CacheEntryKind::archive: return forms.archives;
    case CacheEntryKind::package: return forms.extracted;
    case CacheEntryKind::bytecode: return forms.bytecode;
    case CacheEntryKind::index: return true;
    }
    return false;
}

/// Each package once, whatever plans it is in, by file name.
std::vector<PackageRecord> records_of(const std::vector<Plan>& plans) {
    std::map<std::string, PackageRecord> records;
    for (const auto& plan : plans) {
        for (const auto& package : plan.link) records.emplace(package.record.fn, package.record);
    }
    std::vector<PackageRecord> unique;
    for (auto& [fn, record] : records) unique.push_back(std::move(record));
    return unique;
}

Error incomplete(const std::vector<std::string>& missing) {
    std::string text = std::to_string(missing.size()) + " of the packages are not in the cache, or are damaged there:";
    for (std::size_t i = 0; i < std::min(missing.size(), most_names); ++i) text += "\n  " + missing[i];
    if (missing.size() > most_names) text += "\n  and " + std::to_string(missing.size() - most_names) + " more";
    return make_error(ErrorCode::package_not_found, text + "\nrun `taipan warm` with the same files first");
}

} // namespace

Result<void> add_needs(NeededEntries& needed, const Session& session, const Plan& plan) {
    const Config& config = session.config();
    for (const auto& package : plan.link) needed.add(package.record);
    const bool solved = std::none_of(plan.link.begin(), plan.link.end(),
                                     [](const PlannedPackage& package) { return package.from_url; });
    if (!solved) return {};
    std::vector<std::string> names = plan.channels;
    for (const auto& package : plan.link) names.push_back(package.record.channel); // those that only a spec names
    TAIPAN_TRY(const auto channels, channels_of_request(names, {}, config));
    for (const auto& channel : channels) {
        add_index_keys(needed, channel, config.subdir, config);
        add_index_keys(needed, channel, "noarch", config);
    }
    return {};
}

std::vector<PackInput> all_entries(const std::string& cache_directory, const CacheForms& forms) {
    const auto urls = urls_of(cache_directory);
    std::vector<PackInput> inputs;
    for (auto& entry : list_cache(cache_directory)) {
        if (!has_form(entry.kind, forms)) continue;
        std::string path = cache_directory + '/' + entry.name;
        const auto url = entry.kind == CacheEntryKind::archive ? urls.find(entry.name) : urls.end();
        inputs.push_back({std::move(entry), std::move(path), url == urls.end() ? "" : url->second});
    }
    return inputs;
}

Result<std::vector<PackInput>> needed_entries(Session& session, const std::vector<Plan>& plans,
                                              const NeededEntries& needed, const CacheForms& forms) {
    TAIPAN_TRY(const PackageCache cache, PackageCache::open(session.config().pkgs_dirs));
    const auto records = records_of(plans);
    std::vector<PackInput> inputs, others;
    std::vector<std::string> missing;
    if (forms.archives) {
        TAIPAN_TRY(auto paths, sound_archives(session, cache, records));
        for (std::size_t i = 0; i < records.size(); ++i) {
            if (paths[i].empty()) {
                missing.push_back(records[i].fn);
            } else {
                inputs.push_back({{CacheEntryKind::archive, records[i].fn}, std::move(paths[i]), records[i].url});
            }
        }
    }
    for (const auto& record : records) {
        if (!forms.extracted) break;
        if (auto path = cache.find_extracted(record)) {
            inputs.push_back({{CacheEntryKind::package, record.dist_name()}, std::move(*path), {}});
        } else {
            missing.push_back(record.dist_name() + " (extracted)");
        }
    }
    if (!missing.empty()) return incomplete(missing);
    for (auto& input : all_entries(cache.writable_directory(), {false, false, forms.bytecode})) {
        if (needed.wants(input.entry)) inputs.push_back(std::move(input));
    }
    return inputs;
}

} // namespace taipan
