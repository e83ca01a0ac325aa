// A clone is not a copy of the tree: files with the prefix in them were made for the source, and records tell where
// files came from. So the packages are installed anew, by the records of the source and without a solve, and only what
// belongs to no package is copied, with the paths in it changed as conda changes them. conda copies these files first
// and links over them; here they come after the packages and give way to them, which leads to the same tree, and does
// not lead through a symlink that somebody has put in place of a package's directory.

#include "flow/clone.hpp"

#include <algorithm>
#include <set>
#include <unordered_set>

#include <tbb/parallel_for.h>
#include <tbb/task_arena.h>

#include "base/filesystem.hpp"
#include "flow/first_error.hpp"
#include "flow/package_source.hpp"
#include "link/copy_relocated.hpp"
#include "link/place_file.hpp"
#include "prefix/prefix_data.hpp"
#include "prefix/untracked_files.hpp"
#include "solve/topological.hpp"

namespace taipan {

namespace {

bool is_inside(const std::string& path, const std::string& directory) {
    return path.size() > directory.size() && path.starts_with(directory) && path[directory.size()] == '/';
}

/// As conda writes it for an explicit package.
std::string exact_spec(const PackageRecord& record) {
    const std::string where = record.channel_name.empty() ? "" : record.channel_name + '/' + record.subdir + "::";
    return where + record.name + "==" + record.version + '=' + record.build;
}

/// Of a package whose record tells no URL (very old ones): the same build in the channels.
Result<void> find_origins(Session& session, const std::vector<std::string>& channels,
                          std::vector<PackageRecord>& records) {
    const auto unknown = [](const PackageRecord& record) { return record.url.empty(); };
    if (std::none_of(records.begin(), records.end(), unknown)) return {};
    TAIPAN_TRY(auto packages, ChannelPackages::load(session, channels, {}));
    for (PackageRecord& record : records) {
        if (!unknown(record)) continue;
        TAIPAN_TRY(auto candidates, packages.source().candidates(record.name));
        const auto found = std::find_if(candidates.begin(), candidates.end(), [&](const Candidate& candidate) {
            return candidate.record.dist_name() == record.dist_name();
        });
        if (found == candidates.end()) {
            return make_error(ErrorCode::package_not_found,
                              "the record of " + record.dist_name() +
                                  " does not tell where the package came from, and no channel has it");
        }
        record = std::move(found->record);
    }
    return {};
}

/// The directory and those above it, parents first.
std::vector<std::string> with_parents(const std::string& directory) {
    std::vector<std::string> chain;
    for (std::string path = directory; !path.empty(); path = std::string(parent_path(path))) chain.push_back(path);
    std::reverse(chain.begin(), chain.end());
    return chain;
}

/// Makes the directories of the files. Those that cannot be there, since a package has a file of that name, are told.
Result<std::set<std::string>> make_room(Session& session, const Plan& plan, int target_fd) {
    std::set<std::string> directories, impossible;
    for (const auto& path : plan.untracked_files) directories.emplace(parent_path(path));
    for (const auto& directory : directories) {
        if (directory.empty()) continue;
        const auto made = create_directories(with_parents(directory), target_fd, plan.prefix);
        if (made) continue;
        if (made.error().code != ErrorCode::clobber) return made.error();
        session.sink().note(Severity::warning, "the files in " + plan.clone_of + '/' + directory +
                                                   " are not copied: " + made.error().message);
        impossible.insert(directory);
    }
    return impossible;
}

} // namespace

Result<void> plan_clone(Plan& plan, Session& session, const std::string& source) {
    TAIPAN_CHECK(require_environment(source));
    if (source == plan.prefix || is_inside(source, plan.prefix)) {
        return make_error(ErrorCode::invalid_argument, "an environment cannot be cloned to where it is: " +
                                                           plan.prefix + "; choose another place for the copy");
    }
    TAIPAN_TRY(const PrefixData data, load_prefix(source, RecordDetail::full, session.config().channel_settings));
    plan.warnings.insert(plan.warnings.end(), data.warnings.begin(), data.warnings.end());
    std::unordered_set<std::string> owned;
    for (const PrefixRecord& record : data.records) owned.insert(record.files.begin(), record.files.end());
    plan.clone_of = source;
    TAIPAN_TRY(plan.untracked_files, untracked_files(source, owned, plan.prefix));
    auto records = data.packages();
    TAIPAN_CHECK(find_origins(session, plan.channels, records));
    plan.final_state = topological_sort(std::move(records));
    for (const PackageRecord& record : plan.final_state) {
        PlannedPackage package;
        package.record = record;
        package.requested_spec = exact_spec(record);
        plan.update_specs.push_back(package.requested_spec);
        plan.link.push_back(std::move(package));
    }
    return {};
}

Result<void> copy_untracked(Session& session, const Plan& plan) {
    TAIPAN_TRY(const UniqueFd source, open_directory(plan.clone_of));
    TAIPAN_TRY(const UniqueFd target, open_directory(plan.prefix));
    TAIPAN_TRY(const auto impossible, make_room(session, plan, target.get()));
    const Relocation relocation{source.get(), target.get(), plan.clone_of, plan.prefix,
                                platform_of_subdir(session.config().subdir)};
    FirstError errors;
    tbb::task_arena arena(session.workers());
    arena.execute([&] {
        tbb::parallel_for(std::size_t{0}, plan.untracked_files.size(), [&](std::size_t i) {
            const std::string& path = plan.untracked_files[i];
            if (errors.any() || session.stop().stop_requested()) return;
            if (impossible.contains(std::string(parent_path(path)))) return;
            auto copied = copy_relocated(relocation, path);
            if (!copied) {
                errors.take(std::move(copied).context("while copying " + plan.clone_of + '/' + path).error());
            } else if (*copied != CopyOutcome::copied) {
                session.sink().note(Severity::warning,
                                    plan.clone_of + '/' + path + " is not copied: " +
                                        (*copied == CopyOutcome::exists ? "a package has a file of that name"
                                                                        : "it cannot be read, or is no file"));
            }
        });
    });
    return errors.result();
}

} // namespace taipan
