// One pipeline, three places for what it unpacks. In the cache, from where files are linked: the ordinary one. Inside
// of the prefix, with the archive kept in the cache: where the cache is on another device, so that a tree in it would
// only be copied (a BuildKit cache mount, a network disk). Inside of the prefix, with nothing kept: direct mode. The
// stages do not know; they only see that a package has a directory of its own.
//
// The place inside of the prefix is the transaction's: it goes with the run, and a kill leaves it to the next one to
// remove.

#include "flow/package_supply.hpp"

#include <optional>
#include <string>
#include <vector>

#include "base/filesystem.hpp"
#include "flow/plan_channels.hpp"
#include "link/place_file.hpp"

namespace taipan {

Result<CacheAccess> open_caches(const Config& config) {
    if (config.direct.value_or(false)) return CacheAccess{PackageCache::open_for_reading(config.pkgs_dirs), true, {}};
    auto cache = PackageCache::open(config.pkgs_dirs);
    if (cache) return CacheAccess{std::move(*cache), false, {}};
    if (config.direct) return std::move(cache).error(); // --no-direct
    return CacheAccess{PackageCache::open_for_reading(config.pkgs_dirs), true, cache.error().message};
}

namespace {

/// Where temporary files may be made. An empty image has neither of the usual places, but it has one for the
/// environment.
std::vector<std::string> temporary_places(const Config& config, const std::string& prefix) {
    const auto variable = config.environment.find("TMPDIR");
    if (variable != config.environment.end() && !variable->second.empty()) return {variable->second};
    std::string near(parent_path(prefix.empty() ? config.root_prefix : prefix));
    while (!near.empty() && !is_directory(near)) near = parent_path(near);
    return {"/tmp", "/var/tmp", near.empty() ? "/" : near};
}

} // namespace

Result<IndexPlace> IndexPlace::choose(const Config& config, const PackageCache& cache, const std::string& prefix) {
    IndexPlace place;
    place.directory_ = cache.repodata_directory();
    if (cache.keeps_archives()) return place;
    if (config.offline) {
        for (const auto& directory : config.pkgs_dirs) {
            place.directory_ = directory + "/cache";
            if (is_directory(place.directory_)) return place;
        }
    }
    std::optional<Error> first;
    for (const auto& directory : temporary_places(config, prefix)) {
        auto made = StagedDirectory::create(directory, "index");
        if (made) {
            place.directory_ = made->path();
            place.temporary_ = std::make_unique<StagedDirectory>(std::move(*made));
            return place;
        }
        if (!first) first = std::move(made).context("TMPDIR names the directory for temporary files").error();
    }
    return std::move(*first);
}

Result<PackageSupply> PackageSupply::open(Session& session, const Plan& plan) {
    const Config& config = session.config();
    TAIPAN_TRY(auto channels, channels_of_request(plan.channels, {}, config));
    if (plan.direct) {
        return PackageSupply(session, PackageCache::open_for_reading(config.pkgs_dirs), std::move(channels));
    }
    TAIPAN_TRY(auto cache, PackageCache::open(config.pkgs_dirs));
    return PackageSupply(session, std::move(cache), std::move(channels));
}

Result<void> PackageSupply::choose_place(const Transaction& transaction) {
    const Config& config = session_->config();
    if (!cache_.keeps_archives()) {
        cache_.unpack_into(transaction.scratch_directory());
        return {};
    }
    if (config.always_softlink || config.always_copy) return {};
    TAIPAN_TRY(const UniqueFd directory, open_directory(cache_.writable_directory()));
    const LinkChoice choice = choose_link_type(directory.get(), transaction.scratch_fd(),
                                               {false, false, config.allow_softlinks}, PackageCache::magic_file);
    if (choice.type != LinkType::copy || choice.clones) return {};
    session_->sink().note(Severity::info, "packages are unpacked straight into the environment since " + choice.reason +
                                              "; it keeps their archives");
    cache_.unpack_into(transaction.scratch_directory());
    return {};
}

Result<void> PackageSupply::bring(const Plan& plan, const OnPackage& on_package, InstallReport& report) const {
    return materialise(*session_, cache_, channels_, plan.link, on_package, report);
}

Result<void> PackageSupply::bring_again(const Plan& plan, const std::set<std::size_t>& indexes,
                                        const OnPackage& on_package) const {
    std::vector<PlannedPackage> packages;
    std::vector<std::size_t> original;
    for (const std::size_t index : indexes) {
        packages.push_back(plan.link[index]);
        original.push_back(index);
    }
    InstallReport second_report; // what was done is told once
    return materialise(
        *session_, cache_, channels_, packages,
        [&](CachedPackage package) {
            package.index = original[package.index];
            return on_package(std::move(package));
        },
        second_report);
}

} // namespace taipan
