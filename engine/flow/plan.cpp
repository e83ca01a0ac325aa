// From what the user typed to what will happen. Reads the prefix, the channels and the cache; changes none of them,
// except that an interrupted earlier run on the prefix is repaired first.

#include "flow/plan.hpp"

#include <algorithm>
#include <ctime>
#include <set>

#include <dirent.h>

#include "base/filesystem.hpp"
#include "flow/clone.hpp"
#include "flow/explicit.hpp"
#include "flow/index.hpp"
#include "flow/interrupted.hpp"
#include "flow/package_supply.hpp"
#include "flow/plan_channels.hpp"
#include "flow/revision.hpp"
#include "flow/shard_walk.hpp"
#include "prefix/frozen.hpp"
#include "prefix/history.hpp"
#include "prefix/prefix_data.hpp"
#include "solve/solve.hpp"
#include "solve/topological.hpp"
#include "solve/virtual_packages.hpp"

namespace taipan {

namespace {

/// The environment as it is now.
struct Target {
    bool exists = false;
    std::vector<std::string> record_files;
    std::vector<PackageRecord> installed;
    std::map<std::string, MatchSpec> history;
    std::vector<HistoryBlock> blocks; ///< of the history
    std::vector<MatchSpec> pins;
    std::vector<std::string> warnings;
};

bool is_empty_directory(const std::string& path) {
    DIR* directory = ::opendir(path.c_str());
    if (directory == nullptr) return false;
    int entries = 0;
    while (entries <= 2 && ::readdir(directory) != nullptr) ++entries; // NOLINT(concurrency-mt-unsafe): own stream
    ::closedir(directory);
    return entries <= 2;
}

Result<std::vector<MatchSpec>> parse_specs(const std::vector<std::string>& texts, const Config& config) {
    std::vector<MatchSpec> specs;
    for (const auto& text : texts) {
        if (text.find_first_not_of(" \t\n") == std::string::npos) {
            return make_error(ErrorCode::invalid_argument, "'" + text + "' is no package specification: it is empty");
        }
        TAIPAN_TRY(auto spec, MatchSpec::parse(text, config.channel_settings));
        specs.push_back(std::move(spec));
    }
    return specs;
}

Result<Target> load_target(Session& session, const InstallRequest& request) {
    Target target;
    const std::string& prefix = request.prefix;
    TAIPAN_CHECK(repair_interrupted(prefix, session.config(), session.sink(), prefix_lock_patience_seconds,
                                    session.fault_point(), &session.stop().flag()));
    if (request.action == Action::create) {
        if (is_environment(prefix) && !request.replace_existing) {
            return make_error(ErrorCode::environment_exists, "prefix already exists: " + prefix);
        }
        if (!is_environment(prefix) && exists(prefix) && !is_empty_directory(prefix)) {
            return make_error(ErrorCode::not_an_environment,
                              "The target directory exists, but it is not a conda environment.\n  target directory: " +
                                  prefix + "\nChoose another path, or move what is there out of the way.");
        }
        TAIPAN_TRY(target.pins,
                   parse_specs(request.no_pin ? std::vector<std::string>{} : session.config().pinned_packages,
                               session.config()));
        return target;
    }
    // The root prefix counts as an empty environment until something is in it.
    if (prefix != session.config().root_prefix) TAIPAN_CHECK(require_environment(prefix));
    if (session.config().protect_frozen_envs) TAIPAN_CHECK(require_not_frozen(prefix));
    target.exists = true;
    const auto& settings = session.config().channel_settings;
    TAIPAN_TRY(target.record_files, record_file_names(prefix));
    TAIPAN_TRY(const PrefixData data, load_prefix(prefix, RecordDetail::identity, settings));
    target.installed = data.packages();
    target.warnings = data.warnings;
    TAIPAN_TRY(target.blocks, load_history(prefix));
    std::set<std::string> names;
    for (const auto& record : target.installed) names.insert(record.name);
    target.history = requested_specs(target.blocks, names, settings);
    if (!request.no_pin) {
        std::vector<std::string> pins = session.config().pinned_packages;
        TAIPAN_TRY(const auto of_prefix, read_pinned(prefix));
        pins.insert(pins.end(), of_prefix.begin(), of_prefix.end());
        auto parsed = parse_specs(pins, session.config());
        TAIPAN_TRY(target.pins, std::move(parsed).context("among the pins of the configuration and of " + prefix +
                                                          "/conda-meta/pinned"));
    }
    return target;
}

bool names_urls(const std::vector<MatchSpec>& specs) {
    return std::any_of(specs.begin(), specs.end(), [](const MatchSpec& spec) { return !spec.url().empty(); });
}

Result<std::vector<MatchSpec>> requested(const InstallRequest& request, const Config& config) {
    TAIPAN_TRY(auto specs, parse_specs(request.specs, config));
    if (request.action != Action::create || request.no_default_packages || !request.clone_of.empty() ||
        request.from_lock || names_urls(specs))
        return specs;
    TAIPAN_TRY(const auto defaults, parse_specs(config.create_default_packages, config));
    for (const auto& spec : defaults) {
        const bool named = std::any_of(specs.begin(), specs.end(),
                                       [&](const MatchSpec& other) { return other.name() == spec.name(); });
        if (!named) specs.push_back(spec);
    }
    return specs;
}

/// The `CONDA_OVERRIDE_*` variables, and below them `override_virtual_packages` of the configuration.
std::map<std::string, std::string> virtual_package_overrides(const Config& config) {
    auto variables = config.environment;
    for (const auto& [name, version] : config.override_virtual_packages) {
        std::string variable = "CONDA_OVERRIDE_";
        for (const char letter : std::string_view(name).substr(name.starts_with("__") ? 2 : 0))
            variable += letter >= 'a' && letter <= 'z' ? static_cast<char>(letter - 'a' + 'A') : letter;
        variables.emplace(std::move(variable), version);
    }
    return variables;
}

SolveRequest solve_request(const InstallRequest& request, const std::vector<MatchSpec>& specs, const Target& target,
                           const Config& config) {
    SolveRequest solve;
    switch (request.action) {
    case Action::create:
    case Action::install: solve.install = specs; break;
    case Action::update: solve.update = specs; break;
    case Action::remove: solve.remove = specs; break;
    }
    solve.update_all = request.update_all;
    solve.installed = target.installed;
    solve.history = target.history;
    solve.pins = target.pins;
    if (request.action != Action::create) solve.always_update = config.aggressive_update_packages;
    solve.virtual_packages = detect_virtual_packages(config.subdir, virtual_package_overrides(config));
    solve.channel_priority = config.channel_priority;
    solve.freeze_installed = request.freeze_installed;
    solve.update_deps = request.update_deps;
    solve.skip_if_satisfied = request.skip_if_satisfied;
    solve.no_deps = request.no_deps;
    solve.only_deps = request.only_deps;
    solve.force_reinstall = request.force_reinstall;
    solve.force_remove = request.force_remove;
    solve.prune = request.prune;
    solve.add_pip_to_python = config.add_pip_as_python_dependency;
    solve.python_brings_pip = request.python_brings_pip;
    return solve;
}

/// The names that a solve begins with.
std::vector<std::string> names_to_start_from(const std::vector<MatchSpec>& specs, const Target& target,
                                             bool python_brings_pip) {
    std::vector<std::string> names;
    const auto add = [&](const MatchSpec& spec) {
        if (spec.has_exact_name()) names.push_back(spec.name());
    };
    for (const auto& spec : specs) {
        add(spec);
        if (python_brings_pip && spec.name() == "python") names.emplace_back("pip"); // maybe of another subdir
    }
    for (const auto& spec : target.pins) add(spec);
    for (const auto& record : target.installed) names.push_back(record.name);
    return names;
}

/// Where each package to link is now.
void locate(std::vector<PlannedPackage>& packages, const PackageCache& cache) {
    for (auto& package : packages) {
        if (auto directory = cache.find_extracted(package.record)) {
            package.cached = CacheState::extracted;
            package.location = std::move(*directory);
        } else if (auto archive = cache.find_archive(package.record)) {
            package.cached = CacheState::archive;
            package.location = std::move(*archive);
        }
    }
}

void note_requested(Plan& plan, const std::vector<MatchSpec>& specs, const Target& target) {
    std::map<std::string, std::string> by_name;
    for (const auto& [name, spec] : target.history) by_name.emplace(name, spec.to_string());
    for (const auto& spec : specs) {
        if (spec.has_exact_name()) by_name.insert_or_assign(spec.name(), spec.to_string());
    }
    for (auto& package : plan.link) {
        if (const auto found = by_name.find(package.record.name); found != by_name.end()) {
            package.requested_spec = found->second;
        }
    }
}

/// Takes those that are not asked for again out of the target's history; returns their names.
std::vector<std::string> forget_requests(Target& target, const std::vector<MatchSpec>& specs) {
    std::vector<std::string> names;
    for (auto entry = target.history.begin(); entry != target.history.end();) {
        const bool again =
            std::any_of(specs.begin(), specs.end(), [&](const MatchSpec& spec) { return spec.name() == entry->first; });
        if (!again) names.push_back(entry->first);
        entry = again ? std::next(entry) : target.history.erase(entry);
    }
    return names;
}

std::vector<std::string> canonical(const std::vector<MatchSpec>& specs) {
    std::vector<std::string> texts;
    for (const auto& spec : specs) texts.push_back(spec.to_string());
    return texts;
}

/// `disallowed_packages` of the configuration.
Result<void> check_allowed(const Plan& plan, const Config& config) {
    TAIPAN_TRY(const auto disallowed, parse_specs(config.disallowed_packages, config));
    for (const auto& package : plan.link) {
        const PackageRecord& record = package.record;
        for (const auto& spec : disallowed) {
            if (!spec.matches(record)) continue;
            return make_error(ErrorCode::package_disallowed,
                              "The package '" + record.dist_string() + "' is disallowed by configuration ('" +
                                  spec.to_string() +
                                  "' in disallowed_packages); `taipan info` tells which files are read");
        }
    }
    return {};
}

Result<void> plan_solved(Plan& plan, Session& session, const InstallRequest& request,
                         const std::vector<MatchSpec>& specs, const Target& target, const PackageCache& cache) {
    const Config& config = session.config();
    IndexPlace place; // outlives the indexes
    LoadedIndexes indexes;
    // What goes is told by what is installed; an environment without packages needs no channel.
    const bool needs_index = request.action != Action::remove && !(request.action == Action::create && specs.empty());
    if (needs_index) {
        TAIPAN_TRY(auto channels, channels_of_request(request.channels, specs, config));
        if (channels.empty()) return no_channels_error();
        TAIPAN_TRY(place, IndexPlace::choose(config, cache, plan.prefix));
        TAIPAN_TRY(indexes,
                   load_indexes(session, std::move(channels), config.subdir, place.directory(), IndexUse::solving));
        TAIPAN_CHECK(load_shards(
            session, indexes,
            names_to_start_from(specs, target, request.python_brings_pip && config.add_pip_as_python_dependency),
            true));
    }
    Span span(session.sink(), Stage::solve, plan.prefix);
    IndexCandidates candidates(indexes);
    TAIPAN_TRY(Solution solution, solve(solve_request(request, specs, target, config), candidates));
    span.succeed();
    const std::set<std::string> relinked(solution.relinked_noarch.begin(), solution.relinked_noarch.end());
    for (auto& record : solution.link) {
        PlannedPackage package;
        package.relink_only = relinked.contains(record.name);
        package.record = std::move(record);
        plan.link.push_back(std::move(package));
    }
    TAIPAN_CHECK(check_allowed(plan, config));
    plan.unlink = std::move(solution.unlink);
    plan.final_state = std::move(solution.final_state);
    for (const auto& neutered : solution.neutered) plan.neutered_specs.push_back(neutered.replacement);
    if (request.action == Action::remove) {
        plan.remove_specs = canonical(specs);
    } else {
        plan.update_specs = canonical(solution.recorded_specs);
    }
    return {};
}

} // namespace

std::uint64_t Plan::download_bytes() const {
    std::uint64_t bytes = 0;
    for (const auto& package : link) {
        if (package.cached == CacheState::missing) bytes += package.record.size.value_or(0);
    }
    return bytes;
}

Result<Plan> make_plan(Session& session, const InstallRequest& request) {
    const Config& config = session.config();
    TAIPAN_TRY(Target target, load_target(session, request));
    TAIPAN_TRY(const auto specs, requested(request, config));
    const auto forgotten = request.only_requested ? forget_requests(target, specs) : std::vector<std::string>{};
    TAIPAN_TRY(const CacheAccess access, open_caches(config));
    if (!access.reason.empty() && request.action != Action::remove) {
        session.sink().note(Severity::warning,
                            "packages are unpacked straight into the environment and not kept, since no "
                            "package cache can be written: " +
                                access.reason);
    }
    const PackageCache& cache = access.cache;
    cache.sweep_leftovers(std::time(nullptr));

    Plan plan;
    plan.direct = access.direct;
    plan.action = request.action;
    plan.prefix = request.prefix;
    plan.new_prefix = !target.exists;
    plan.record_files = target.record_files;
    plan.replaces_existing = request.action == Action::create && is_environment(request.prefix);
    plan.command_line = request.command_line;
    plan.channels = request.channels;
    plan.warnings = target.warnings;
    const bool explicit_urls = request.from_lock || (request.action != Action::remove && names_urls(specs));
    if (!request.clone_of.empty()) {
        TAIPAN_CHECK(plan_clone(plan, session, request.clone_of));
        TAIPAN_CHECK(check_allowed(plan, config));
    } else if (request.revision) {
        TAIPAN_CHECK(plan_revision(plan, session, *request.revision, target.installed, target.blocks));
        // What was asked for stays asked for, as with conda.
        for (const auto& [name, spec] : target.history) plan.update_specs.push_back(spec.to_string());
    } else if (explicit_urls) {
        TAIPAN_CHECK(plan_explicit(plan, session, request, specs, target.installed, cache));
        TAIPAN_CHECK(check_allowed(plan, config));
    } else {
        TAIPAN_CHECK(plan_solved(plan, session, request, specs, target, cache));
    }
    plan.remove_specs.insert(plan.remove_specs.end(), forgotten.begin(), forgotten.end());
    locate(plan.link, cache);
    if (!explicit_urls) note_requested(plan, specs, target);
    return plan;
}

} // namespace taipan
