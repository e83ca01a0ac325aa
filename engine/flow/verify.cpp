// `verify` reads what the records say and what is on disk, in slices over all workers. Problem: files of a cache are
// hard-linked into prefixes, so whoever changed a file in one prefix has changed the cache and every other prefix too;
// a repair must not take the same bytes once more. Approach: a package of the cache is itself checked against its
// paths.json before anything is taken from it, and thrown away if it is not whole; then the usual way of fetching and
// extracting makes it anew.

#include "flow/verify.hpp"

#include <algorithm>
#include <filesystem>
#include <mutex>
#include <set>
#include <unordered_map>
#include <unordered_set>

#include <fcntl.h>
#include <tbb/enumerable_thread_specific.h>
#include <tbb/parallel_for.h>
#include <tbb/task_arena.h>

#include "base/filesystem.hpp"
#include "cache/package_cache.hpp"
#include "flow/first_error.hpp"
#include "link/package_info.hpp"
#include "model/record_json.hpp"
#include "prefix/history.hpp"
#include "prefix/prefix_data.hpp"
#include "solve/topological.hpp"

namespace taipan {

namespace {

constexpr std::size_t files_per_task = 256;

/// A record with its paths, ready to be checked.
struct Item {
    PrefixRecord record;
    std::vector<InstalledPath> paths;
    FileFindings findings;
};

struct Slice {
    std::size_t item = 0, first = 0;
};

/// Checks all items below `root`.
Result<void> check_items(Session& session, const std::string& root, std::vector<Item>& items) {
    TAIPAN_TRY(const UniqueFd root_fd, open_directory(root));
    std::vector<Slice> slices;
    for (std::size_t i = 0; i < items.size(); ++i) {
        for (std::size_t first = 0; first < items[i].paths.size(); first += files_per_task)
            slices.push_back({i, first});
    }
    FirstError errors;
    std::mutex mutex; // guards the findings of all items
    tbb::enumerable_thread_specific<FileChecker> checkers([&] { return FileChecker(root_fd.get()); });
    tbb::task_arena arena(session.workers());
    arena.execute([&] {
        tbb::parallel_for(std::size_t{0}, slices.size(), [&](std::size_t i) {
            if (errors.any() || session.stop().stop_requested()) return;
            Item& item = items[slices[i].item];
            auto found =
                checkers.local().check(item.record, item.paths, slices[i].first, slices[i].first + files_per_task);
            if (!found) {
                errors.take(std::move(found).context("while verifying " + root).error());
                return;
            }
            const std::scoped_lock guard(mutex);
            item.findings.merge(std::move(*found));
        });
    });
    TAIPAN_CHECK(errors.result());
    if (session.stop().stop_requested()) return make_error(ErrorCode::cancelled, "verifying was interrupted");
    return {};
}

Result<std::vector<Item>> load_items(Session& session, const std::string& prefix, VerifyReport& report) {
    TAIPAN_TRY(const auto names, record_file_names(prefix));
    std::vector<Item> items(names.size());
    std::vector<std::string> reasons(names.size());
    tbb::task_arena arena(session.workers());
    arena.execute([&] {
        tbb::parallel_for(std::size_t{0}, names.size(), [&](std::size_t i) {
            const std::string dist_name = names[i].substr(0, names[i].size() - 5);
            auto record = load_prefix_record(prefix, dist_name, session.config().channel_settings);
            if (!record)
                reasons[i] = record.error().message;
            else if (record->package.dist_name() != dist_name)
                reasons[i] = "its name does not fit its content, " + record->package.dist_name();
            else
                items[i].record = *std::move(record);
            if (reasons[i].empty()) items[i].paths = checked_paths(items[i].record);
        });
    });
    std::vector<Item> whole;
    std::unordered_map<std::string, std::string> by_name;
    for (std::size_t i = 0; i < names.size(); ++i) {
        const std::string& name = items[i].record.package.name;
        if (reasons[i].empty() && !by_name.emplace(name, names[i]).second) {
            reasons[i] = name + " has another record, " + by_name[name];
        }
        if (reasons[i].empty())
            whole.push_back(std::move(items[i]));
        else
            report.broken_records.push_back({names[i], reasons[i]});
    }
    return whole;
}

/// A path that another package owns as well is right if that one finds it so.
void drop_settled_conflicts(std::vector<Item>& items) {
    std::unordered_set<std::string> wrong;
    for (const Item& item : items) {
        wrong.insert(item.findings.missing.begin(), item.findings.missing.end());
        wrong.insert(item.findings.modified.begin(), item.findings.modified.end());
    }
    if (wrong.empty()) return;
    std::unordered_set<std::string> right;
    for (const Item& item : items) {
        const std::unordered_set<std::string_view> missing(item.findings.missing.begin(), item.findings.missing.end());
        const std::unordered_set<std::string_view> modified(item.findings.modified.begin(),
                                                            item.findings.modified.end());
        for (const InstalledPath& path : item.paths) {
            const std::string& name = path.entry.path;
            if (wrong.contains(name) && !missing.contains(name) && !modified.contains(name)) right.insert(name);
        }
    }
    for (Item& item : items) {
        std::erase_if(item.findings.missing, [&](const auto& path) { return right.contains(path); });
        std::erase_if(item.findings.modified, [&](const auto& path) { return right.contains(path); });
    }
}

std::vector<std::string> extra_files(const std::string& prefix, const std::vector<Item>& items) {
    namespace fs = std::filesystem;
    std::unordered_set<std::string_view> known;
    for (const Item& item : items) {
        for (const InstalledPath& path : item.paths) known.insert(path.entry.path);
    }
    std::vector<std::string> extra;
    std::error_code error;
    for (fs::recursive_directory_iterator entry(prefix, fs::directory_options::skip_permission_denied, error), end;
         !error && entry != end; entry.increment(error)) {
        std::string path = entry->path().string().substr(prefix.size() + 1);
        if (entry.depth() == 0 && path == "conda-meta") {
            entry.disable_recursion_pending();
            continue;
        }
        if (entry->is_directory(error) && !entry->is_symlink(error)) continue;
        const bool cached_by_python = path.ends_with(".pyc") && base_name(parent_path(path)) == "__pycache__";
        if (!cached_by_python && !known.contains(path)) extra.push_back(std::move(path));
    }
    std::sort(extra.begin(), extra.end());
    return extra;
}

/// Whether the files of an extracted package are as its paths.json says.
Result<bool> is_whole(Session& session, const std::string& directory) {
    TAIPAN_TRY(const UniqueFd fd, open_directory(directory));
    auto layout = load_package_layout(fd.get());
    if (!layout) return false;
    std::vector<Item> one(1);
    for (PathEntry& entry : layout->paths) {
        if (entry.type == PathType::directory) continue;
        entry.placeholder.clear(); // it is as shipped here
        const std::string hash = entry.sha256;
        one[0].paths.push_back({std::move(entry), hash});
    }
    const auto checked = check_items(session, directory, one);
    if (!checked && checked.error().code == ErrorCode::cancelled) return checked.error();
    return checked && one[0].findings.empty();
}

Result<void> discard_damaged(Session& session, const PackageCache& cache, PlannedPackage& package) {
    const auto directory = cache.find_extracted(package.record);
    if (!directory) return {};
    TAIPAN_TRY(const bool whole, is_whole(session, *directory));
    if (whole) {
        package.cached = CacheState::extracted;
        package.location = *directory;
        return {};
    }
    session.sink().note(Severity::info, *directory + " is damaged too; it is made anew");
    return cache.discard(*directory).context("while throwing away the damaged " + *directory);
}

/// The package of which only the name of its record is left: the cache may know more.
Result<PackageRecord> package_of_broken_record(const Session& session, const BrokenRecord& broken) {
    const std::string dist_name = broken.file_name.substr(0, broken.file_name.size() - 5);
    for (const auto& cache : session.config().pkgs_dirs) {
        const auto text =
            read_regular_file(cache + '/' + dist_name + "/info/repodata_record.json", std::uint64_t{64} << 20U);
        if (!text) continue;
        auto record = parse_package_record(*text, session.config().channel_settings);
        if (record && record->dist_name() == dist_name) return *std::move(record);
    }
    return make_error(ErrorCode::corrupt_environment,
                      "conda-meta/" + broken.file_name +
                          " cannot be made again, since the package is in no cache; remove that file and install " +
                          dist_name + " again");
}

} // namespace

Result<VerifyReport> verify_prefix(Session& session, const std::string& prefix) {
    VerifyReport report;
    TAIPAN_TRY(auto items, load_items(session, prefix, report));
    TAIPAN_CHECK(check_items(session, prefix, items));
    drop_settled_conflicts(items);
    report.extra = extra_files(prefix, items);
    report.packages = items.size();
    for (Item& item : items) {
        report.files += item.findings.files;
        report.bytes += item.findings.bytes;
        if (item.findings.empty()) continue;
        std::sort(item.findings.missing.begin(), item.findings.missing.end());
        std::sort(item.findings.modified.begin(), item.findings.modified.end());
        report.damaged.push_back({std::move(item.record.package), std::move(item.findings)});
    }
    return report;
}

Result<InstallReport> repair_prefix(Session& session, const std::string& prefix, const VerifyReport& report,
                                    const std::string& command_line) {
    TAIPAN_TRY(const PackageCache cache, PackageCache::open(session.config().pkgs_dirs));
    Plan plan;
    plan.action = Action::install;
    plan.prefix = prefix;
    plan.command_line = command_line;
    std::set<std::string> broken;
    for (const BrokenRecord& record : report.broken_records) broken.insert(record.file_name);
    TAIPAN_TRY(plan.record_files, record_file_names(prefix));
    std::vector<PackageRecord> installed;
    for (const std::string& name : plan.record_files) {
        if (broken.contains(name)) continue;
        TAIPAN_TRY(auto record,
                   load_prefix_record(prefix, name.substr(0, name.size() - 5), session.config().channel_settings));
        installed.push_back(std::move(record.package));
    }
    TAIPAN_TRY(const auto blocks, load_history(prefix));
    for (const BrokenRecord& record : report.broken_records) {
        PlannedPackage package;
        TAIPAN_TRY(package.record, package_of_broken_record(session, record));
        const auto asked = requested_specs(blocks, {package.record.name}, session.config().channel_settings);
        if (!asked.empty()) package.requested_spec = asked.begin()->second.to_string();
        installed.push_back(package.record);
        plan.link.push_back(std::move(package));
    }
    for (const DamagedPackage& damaged : report.damaged) {
        PlannedPackage package;
        package.record = damaged.package;
        package.only_paths.insert(damaged.findings.missing.begin(), damaged.findings.missing.end());
        package.only_paths.insert(damaged.findings.modified.begin(), damaged.findings.modified.end());
        plan.link.push_back(std::move(package));
    }
    for (PlannedPackage& package : plan.link) TAIPAN_CHECK(discard_damaged(session, cache, package));
    plan.final_state = topological_sort(installed);
    return apply_plan(session, plan);
}

} // namespace taipan
