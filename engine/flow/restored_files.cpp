// Two installed packages may list one path (conda-spec 3.7); the later one's file lies there. conda removes it with
// either of them. Here the other one gets its file back: from its package in the cache, which is fetched again if the
// cache has lost it.
//
// Whose file lies there is told by its hash. Of several packages that stay, the last in dependency order has it, as
// if they had just been linked.

#include "flow/restored_files.hpp"

#include <algorithm>
#include <map>
#include <unordered_set>

#include <tbb/parallel_for.h>
#include <tbb/task_arena.h>

#include "base/digest.hpp"
#include "flow/first_error.hpp"
#include "prefix/prefix_data.hpp"

namespace taipan {

namespace {

using Paths = std::unordered_set<std::string>;

/// A package that stays, and what it shares with those that go.
struct Staying {
    const PackageRecord* package = nullptr;
    std::vector<std::string> shared;
};

Result<Paths> paths_of(const Session& session, const Plan& plan) {
    Paths paths;
    for (const PackageRecord& package : plan.unlink) {
        TAIPAN_TRY(auto record,
                   load_prefix_record(plan.prefix, package.dist_name(), session.config().channel_settings));
        for (std::string& file : record.files) {
            if (is_safe_relative_path(file)) paths.insert(std::move(file));
        }
    }
    return paths;
}

Result<std::vector<Staying>> packages_that_stay(Session& session, const Plan& plan, const Paths& leaving) {
    std::set<std::string> linked;
    for (const PlannedPackage& package : plan.link) linked.insert(package.record.name);
    std::vector<Staying> staying;
    for (const PackageRecord& package : plan.final_state) {
        if (!linked.contains(package.name)) staying.push_back({&package, {}});
    }
    FirstError errors;
    tbb::task_arena arena(session.workers());
    arena.execute([&] {
        tbb::parallel_for(std::size_t{0}, staying.size(), [&](std::size_t i) {
            auto shared = find_listed_files(plan.prefix, staying[i].package->dist_name(), leaving);
            if (shared)
                staying[i].shared = std::move(*shared);
            else
                errors.take(std::move(shared).error());
        });
    });
    TAIPAN_CHECK(errors.result());
    return staying;
}

/// Whether the file in the prefix is the one that the record describes. Files without a hash are not known.
bool lies_there(const std::string& prefix, const PrefixRecord& record, const std::string& path) {
    const auto found = std::find_if(record.paths.begin(), record.paths.end(),
                                    [&](const InstalledPath& p) { return p.entry.path == path; });
    if (found == record.paths.end() || found->entry.type != PathType::hardlink || found->sha256_in_prefix.empty()) {
        return false;
    }
    const auto digest = file_digest(prefix + '/' + path, Digest::Kind::sha256);
    return digest && *digest == found->sha256_in_prefix;
}

PlannedPackage planned(const PackageRecord& record, const PackageCache& cache, std::set<std::string> paths) {
    PlannedPackage package;
    package.record = record;
    package.only_paths = std::move(paths);
    if (auto directory = cache.find_extracted(record)) {
        package.cached = CacheState::extracted;
        package.location = std::move(*directory);
    } else if (auto archive = cache.find_archive(record)) {
        package.cached = CacheState::archive;
        package.location = std::move(*archive);
    }
    return package;
}

} // namespace

Result<Plan> with_restored_files(Session& session, Plan plan, const PackageCache& cache) {
    if (plan.new_prefix || plan.unlink.empty()) return plan;
    TAIPAN_TRY(const Paths leaving, paths_of(session, plan));
    TAIPAN_TRY(const auto staying, packages_that_stay(session, plan, leaving));
    std::map<std::string, const PackageRecord*> owner; // of a shared path: the last one
    for (const Staying& one : staying) {
        for (const std::string& path : one.shared) owner.insert_or_assign(path, one.package);
    }
    std::map<const PackageRecord*, std::set<std::string>> missing;
    for (const Staying& one : staying) {
        if (one.shared.empty()) continue;
        TAIPAN_TRY(const auto record,
                   load_prefix_record(plan.prefix, one.package->dist_name(), session.config().channel_settings));
        for (const std::string& path : one.shared) {
            if (lies_there(plan.prefix, record, path)) plan.kept_paths.insert(path);
        }
    }
    for (const auto& [path, package] : owner) {
        if (!plan.kept_paths.contains(path)) missing[package].insert(path);
    }
    for (const Staying& one : staying) { // in dependency order
        const auto found = missing.find(one.package);
        if (found == missing.end()) continue;
        PlannedPackage package = planned(*one.package, cache, found->second);
        const bool out_of_reach =
            package.cached == CacheState::missing && (session.config().offline || one.package->url.empty());
        if (out_of_reach) {
            session.sink().note(Severity::warning,
                                one.package->dist_name() + " loses " + *found->second.begin() +
                                    (found->second.size() > 1 ? " and other files" : "") +
                                    ", since a package that is removed had replaced it and the cache has it no more; "
                                    "`taipan verify --repair` brings it back when the network is there");
            continue;
        }
        plan.link.push_back(std::move(package));
    }
    return plan;
}

} // namespace taipan
