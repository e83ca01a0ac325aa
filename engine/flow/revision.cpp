// A revision is a state of the history: names of packages with channel, version and build, nothing else. Nothing is
// solved; each package that is not installed now is looked for under exactly that name, first in the caches, then in
// the indexes.

#include "flow/revision.hpp"

#include <algorithm>
#include <map>
#include <optional>
#include <set>

#include "base/filesystem.hpp"
#include "flow/package_source.hpp"
#include "model/channel.hpp"
#include "model/record_json.hpp"
#include "solve/topological.hpp"

namespace taipan {

namespace {

/// A package of a history line.
struct Dist {
    std::string line;    ///< as written
    std::string channel; ///< canonical; empty in very old files
    std::string subdir, name, dist_name;
};

std::optional<Dist> parse_dist(const std::string& line, const ChannelSettings& settings) {
    Dist dist;
    dist.line = line;
    const std::size_t mark = line.find("::");
    dist.dist_name = mark == std::string::npos ? line : line.substr(mark + 2);
    const auto parts = split_dist_name(dist.dist_name);
    if (!parts) return std::nullopt;
    dist.name = parts->name;
    if (mark == std::string::npos) return dist;
    const std::string place = line.substr(0, mark);
    const bool has_subdir = is_known_subdir(std::string(base_name(place)));
    if (has_subdir) dist.subdir = base_name(place);
    const std::string channel = has_subdir ? std::string(parent_path(place)) : place;
    // conda writes canonical names, mamba URLs.
    dist.channel = channel.find("://") == std::string::npos ? channel : canonical_channel_name(channel, settings);
    return dist;
}

bool is_that(const PackageRecord& record, const Dist& dist) {
    return record.dist_name() == dist.dist_name && (dist.subdir.empty() || record.subdir == dist.subdir) &&
           (dist.channel.empty() || record.channel_name == dist.channel);
}

std::optional<PackageRecord> from_cache(const Config& config, const Dist& dist) {
    for (const auto& cache : config.pkgs_dirs) {
        const auto text =
            read_regular_file(cache + '/' + dist.dist_name + "/info/repodata_record.json", std::uint64_t{64} << 20U);
        if (!text) continue;
        auto record = parse_package_record(*text, config.channel_settings);
        if (record && is_that(*record, dist) && !record->url.empty()) return *std::move(record);
    }
    return std::nullopt;
}

Result<PackageRecord> from_channels(CandidateSource& source, const Dist& dist) {
    TAIPAN_TRY(auto candidates, source.candidates(dist.name));
    for (auto& candidate : candidates) {
        if (is_that(candidate.record, dist)) return std::move(candidate.record);
    }
    return make_error(ErrorCode::package_not_found,
                      "the package " + dist.line + " of that revision is in no cache and in no channel any more");
}

Result<std::vector<PackageRecord>> find_packages(Session& session, const std::vector<std::string>& channels,
                                                 const std::vector<Dist>& wanted) {
    std::vector<PackageRecord> found;
    std::vector<Dist> missing;
    for (const Dist& dist : wanted) {
        if (auto record = from_cache(session.config(), dist))
            found.push_back(*std::move(record));
        else
            missing.push_back(dist);
    }
    if (missing.empty()) return found;
    std::vector<std::string> names = channels;
    for (const Dist& dist : missing) {
        if (!dist.channel.empty()) names.push_back(dist.channel);
    }
    TAIPAN_TRY(auto packages, ChannelPackages::load(session, names, {}));
    for (const Dist& dist : missing) {
        TAIPAN_TRY(auto record, from_channels(packages.source(), dist));
        found.push_back(std::move(record));
    }
    return found;
}

} // namespace

Result<void> plan_revision(Plan& plan, Session& session, std::size_t revision,
                           const std::vector<PackageRecord>& installed, const std::vector<HistoryBlock>& blocks) {
    if (revision >= blocks.size()) {
        return make_error(ErrorCode::invalid_argument,
                          "no such revision: " + std::to_string(revision) + "; `taipan list --revisions` shows them");
    }
    std::vector<Dist> wanted;
    for (const std::string& line : history_state(blocks, revision + 1)) {
        auto dist = parse_dist(line, session.config().channel_settings);
        if (dist) wanted.push_back(*std::move(dist));
    }
    std::vector<PackageRecord> leaving, state;
    for (const PackageRecord& record : installed) {
        const auto kept =
            std::find_if(wanted.begin(), wanted.end(), [&](const Dist& dist) { return is_that(record, dist); });
        if (kept == wanted.end()) {
            leaving.push_back(record);
            continue;
        }
        state.push_back(record);
        wanted.erase(kept);
    }
    TAIPAN_TRY(const auto arriving, find_packages(session, plan.channels, wanted));
    std::set<std::string> new_names;
    for (const PackageRecord& record : arriving) new_names.insert(record.name);
    state.insert(state.end(), arriving.begin(), arriving.end());
    plan.final_state = topological_sort(std::move(state));
    for (const PackageRecord& record : plan.final_state) {
        if (!new_names.contains(record.name)) continue;
        PlannedPackage package;
        package.record = record;
        plan.link.push_back(std::move(package));
    }
    plan.unlink = topological_sort(std::move(leaving));
    std::reverse(plan.unlink.begin(), plan.unlink.end());
    return {};
}

} // namespace taipan
