// Linking, and what must wait until everything is linked: conflicts, post-link scripts, byte-compilation, records.
//
// A package is linked directory by directory; large ones are split over the workers.

#include "flow/link_stage.hpp"

#include <algorithm>

#include <sys/stat.h>

#include <tbb/parallel_for.h>

#include "base/filesystem.hpp"
#include "flow/first_error.hpp"
#include "flow/foreign_platform.hpp"
#include "link/installed_record.hpp"
#include "link/layer_probe.hpp"
#include "link/restrict_plan.hpp"
#include "prefix/environment_variables.hpp"
#include "prefix/prefix_data.hpp"
#include "solve/topological.hpp"

namespace taipan {

namespace {

constexpr std::size_t actions_per_task = 512;

bool may_compile(const Config& config) { return config.compile_pyc && !is_for_foreign_platform(config); }

/// Cuts the groups into ranges of about `actions_per_task` actions.
std::vector<std::pair<std::size_t, std::size_t>> slices(const LinkPlan& plan) {
    std::vector<std::pair<std::size_t, std::size_t>> ranges;
    std::size_t first = 0;
    std::size_t actions = 0;
    for (std::size_t group = 0; group < plan.groups.size(); ++group) {
        actions += plan.groups[group].last - plan.groups[group].first;
        if (actions < actions_per_task && group + 1 < plan.groups.size()) continue;
        ranges.emplace_back(first, group + 1);
        first = group + 1;
        actions = 0;
    }
    return ranges;
}

} // namespace

LinkStage::LinkStage(Session& session, const Plan& plan, Transaction& transaction, const PackageSupply& supply,
                     InstallReport& report)
    : session_(session), plan_(plan), transaction_(transaction), supply_(supply), report_(report) {
    for (const auto& planned : plan.link) {
        Linked& package = slots_.emplace_back();
        package.slot = slots_.size() - 1;
        package.requested_spec = planned.requested_spec;
        package.only_paths = planned.only_paths;
        package.partial = !package.only_paths.empty();
        packages_.emplace_back(package);
    }
}

bool LinkStage::links_as_they_come() const { return plan_.new_prefix && session_.config().path_conflict != "prevent"; }

Result<void> LinkStage::prepare() {
    const Config& config = session_.config();
    TAIPAN_TRY(slim_, SlimRules::make(config.slim, config.slim_exclude, config.slim_keep));
    if (is_for_foreign_platform(config)) {
        add_message(plan_.prefix + " is for " + config.subdir +
                    ": its programs do not run here, so link scripts of packages are not run and Python sources are "
                    "not compiled");
    }
    const auto python = std::find_if(plan_.final_state.begin(), plan_.final_state.end(),
                                     [](const PackageRecord& record) { return record.name == "python"; });
    if (python == plan_.final_state.end()) return {};
    TAIPAN_TRY(python_, python_info(*python));
    python_name_ = python->dist_name();
    if (!may_compile(session_.config())) return {};
    std::set<std::string> to_link;
    for (const auto& package : plan_.link) to_link.insert(package.record.name);
    watch_.emplace(plan_.final_state, std::move(to_link));
    compiler_.emplace(
        session_,
        CompileTarget{plan_.prefix, transaction_.prefix_fd(), *python_, supply_.cache().writable_directory(), made_},
        packages_.size());
    if (watch_->ready()) compiler_->open();
    return {};
}

Result<void> LinkStage::know_python(const PackageRecord& python) {
    TAIPAN_TRY(auto info, python_info(python));
    const std::scoped_lock guard(mutex_);
    if (compiler_) compiler_->set_python(info);
    python_ = std::move(info);
    return {};
}

Result<const LinkStage::Cache*> LinkStage::cache_of(const std::string& package_directory) {
    const std::string directory(parent_path(package_directory));
    const std::scoped_lock guard(mutex_);
    for (const Cache& known : caches_) {
        if (known.directory == directory && (!known.layered || known.package == package_directory)) return &known;
    }
    const Config& config = session_.config();
    TAIPAN_TRY(const UniqueFd package_fd, open_directory(package_directory));
    Cache cache{directory, package_directory, {}, {}, false};
    TAIPAN_TRY(cache.fd, open_directory(directory));
    cache.layered = is_layered(cache.fd.get());
    const bool told = std::any_of(caches_.begin(), caches_.end(), [&](const Cache& known) {
        return known.directory == directory && !known.choice.reason.empty();
    });
    cache.choice = choose_link_type(package_fd.get(), transaction_.scratch_fd(),
                                    {config.always_copy, config.always_softlink, config.allow_softlinks});
    if (!told) tell_link_mode(cache);
    return &caches_.emplace_back(std::move(cache));
}

void LinkStage::tell_link_mode(const Cache& cache) {
    const LinkChoice& choice = cache.choice;
    report_.link_mode = choice.type == LinkType::hardlink   ? "hard link"
                        : choice.type == LinkType::softlink ? "soft link"
                        : choice.clones                     ? "reflink"
                                                            : "copy";
    if (choice.reason.empty()) return;
    report_.link_mode += " (" + choice.reason + ")";
    session_.sink().note(Severity::info, std::string(choice.type == LinkType::softlink ? "files are symlinks into "
                                                     : choice.clones ? "files are copies that share their blocks with "
                                                                     : "files are copied from ") +
                                             cache.directory + " since " + choice.reason);
}

/// How its files come into the prefix, decided once for each cache.
Result<LinkType> LinkStage::link_type_of(Linked& package) {
    if (!package.tree) {
        TAIPAN_TRY(package.cache, cache_of(package.directory));
        return package.cache->choice.type;
    }
    const std::scoped_lock guard(mutex_);
    if (report_.link_mode.empty()) report_.link_mode = "unpacking in place";
    // Moved files are files of the prefix alone; what the record says of them is what it says of linked ones.
    return session_.config().always_copy ? LinkType::copy : LinkType::hardlink;
}

Result<void> LinkStage::plan_package(CachedPackage package) {
    Linked& slot = slots_[package.index];
    slot.moved = false;
    if (package.tree) slot.tree.emplace(std::move(*package.tree));
    slot.record = std::move(package.record);
    slot.directory = std::move(package.directory);
    slot.contained = package.contained;
    if (links_as_they_come()) slot.fd = std::move(package.fd); // else there would be as many as packages
    TAIPAN_CHECK(make_plan(slot, package.info));
    if (slot.partial) slot.plan = restrict_plan(slot.plan, slot.only_paths);
    const auto has = [&](LinkScript script) {
        const std::string path = link_script_path(script, slot.record.name);
        return std::any_of(slot.plan.paths.begin(), slot.plan.paths.end(),
                           [&](const InstalledPath& p) { return p.entry.path == path; });
    };
    slot.pre_link = has(LinkScript::pre_link);
    slot.post_link = has(LinkScript::post_link);
    slot.planned = true;
    return check_prefix_length(slot.plan).context("while planning to link " + slot.record.fn);
}

/// The plan of a package whose texts these are.
Result<void> LinkStage::make_plan(Linked& slot, const PackageInfoTexts& info) {
    const std::string step = "while planning to link " + slot.record.fn;
    auto layout = parse_package_layout(info);
    if (!layout) return std::move(layout).context(step).error();
    if (layout->legacy) {
        TAIPAN_TRY(const UniqueFd directory, open_directory(slot.directory));
        TAIPAN_CHECK(detect_symlinks(*layout, directory.get()).context(step));
    }
    const Config& config = session_.config();
    LinkOptions options;
    options.prefix = plan_.prefix;
    TAIPAN_TRY(options.link_type, link_type_of(slot));
    options.compile_pyc = may_compile(config);
    options.platform = platform_of_subdir(config.subdir);
    options.slim = &slim_;
    std::optional<PythonInfo> python;
    {
        const std::scoped_lock guard(mutex_);
        python = python_;
    }
    auto made = make_link_plan(std::move(*layout), slot.record, python, options);
    if (!made) return std::move(made).context(step).error();
    slot.plan = std::move(*made);
    return {};
}

PlaceContext LinkStage::context(const Linked& package) const {
    PlaceContext place;
    place.prefix_fd = transaction_.prefix_fd();
    place.package_dir = package.directory;
    place.prefix = plan_.prefix;
    place.on_existing = OnExisting::report;
    place.stop = &session_.stop().flag();
    place.contained = package.contained;
    place.settled = session_.config().reproducible;
    return place;
}

Result<void> LinkStage::enter(Linked& package, PlaceContext& place) {
    if (package.contained && !package.fd && package.cache != nullptr) {
        place.package_fd = package.cache->fd.get();
        place.package_path = base_name(package.directory);
        return {};
    }
    if (!package.fd) {
        TAIPAN_TRY(package.fd, open_directory(package.directory));
    }
    place.package_fd = package.fd.get();
    return {};
}

Result<void> LinkStage::place(Linked& package) {
    PlaceContext where = context(package);
    where.made = &made_;
    where.move = package.tree.has_value();
    TAIPAN_CHECK(enter(package, where));
    // What was created is announced already in an existing prefix, and gone with the whole in a new one.
    auto made = create_directories(package.plan.directories, where.prefix_fd, plan_.prefix, &made_);
    if (!made && made.error().code == ErrorCode::clobber) {
        package.postponed = true; // whose path it is, is settled when all packages are known
        return {};
    }
    TAIPAN_CHECK(std::move(made));
    const auto ranges = slices(package.plan);
    std::vector<PlacedFiles> parts(ranges.size());
    FirstError errors;
    tbb::parallel_for(std::size_t{0}, ranges.size(), [&](std::size_t i) {
        if (errors.any()) return;
        auto placed = place_groups(package.plan, ranges[i].first, ranges[i].second, where);
        if (placed)
            parts[i] = std::move(*placed);
        else
            errors.take(std::move(placed).error());
    });
    TAIPAN_CHECK(errors.result());
    for (auto& part : parts) package.placed.merge(std::move(part));
    package.fd.reset();
    package.moved = package.tree.has_value();
    if (package.placed.existing.empty()) package.tree.reset();
    return {};
}

Result<void> LinkStage::link_package(std::size_t index) {
    Linked& package = slots_[index];
    const std::string name = package.record.dist_name();
    Span span(session_.sink(), Stage::link, name, package.plan.actions.size());
    if (!package.partial && package.pre_link) TAIPAN_CHECK(run_script(LinkScript::pre_link, package));
    TAIPAN_CHECK(place(package).context("while linking " + name + " into " + plan_.prefix));
    if (!package.postponed) TAIPAN_CHECK(hand_to_compiler(package));
    span.succeed();
    {
        const std::scoped_lock guard(mutex_);
        if (!package.partial) ++report_.linked_packages;
        report_.linked_files += package.plan.actions.size();
        report_.left_out_files += package.plan.left_out_files;
        report_.left_out_bytes += package.plan.left_out_bytes;
    }
    if (!can_be_recorded(package)) return {};
    TAIPAN_CHECK(write_record(package));
    package.plan = LinkPlan();
    return {};
}

/// In a new prefix, which nobody reads yet, a record need not wait for the others, and the lists of all packages' files
/// need not be in memory at once. Unless something about the files is still to come: bytecode, or a conflict. (One that
/// turns up later changes files, but not what this record says: see `plan_again`. What was moved into the prefix could
/// not be planned again.)
bool LinkStage::can_be_recorded(const Linked& package) const {
    return links_as_they_come() && !package.moved && !package.postponed && package.placed.existing.empty() &&
           package.plan.pyc.empty();
}

Result<void> LinkStage::hand_to_compiler(const Linked& package) {
    if (!compiler_) return {};
    const PackageRecord& record = package.record;
    {
        const std::scoped_lock guard(mutex_);
        if (watch_->linked(record)) compiler_->open();
    }
    // What is kept of a package's bytecode is all of it, so a part of it is not kept.
    const bool kept = !package.partial && supply_.cache().keeps_archives();
    const std::string hash = !kept ? "" : record.sha256.empty() ? record.md5 : record.sha256;
    const bool copy = package.moved || package.plan.link_type != LinkType::hardlink || session_.config().reproducible;
    return compiler_->package_linked(package.slot, {&package.plan, {python_name_, record.dist_name(), hash}, copy});
}

Result<void> LinkStage::link_all() {
    FirstError errors;
    tbb::parallel_for(std::size_t{0}, packages_.size(), [&](std::size_t i) {
        if (slots_[i].planned && !errors.any()) errors.take(link_package(i));
    });
    return errors.result();
}

void LinkStage::order_by_dependencies() {
    const bool known = std::all_of(plan_.link.begin(), plan_.link.end(),
                                   [](const PlannedPackage& package) { return !package.from_url || package.complete; });
    if (known) return;
    std::vector<PackageRecord> records;
    for (const Linked& package : slots_) records.push_back(package.record);
    packages_.clear();
    for (const std::size_t index : topological_order(records)) packages_.emplace_back(slots_[index]);
}

void LinkStage::add_message(std::string message) {
    if (message.empty()) return;
    const std::scoped_lock guard(mutex_);
    report_.messages.push_back(std::move(message));
}

Result<void> LinkStage::run_script(LinkScript script, const Linked& package) {
    if (is_for_foreign_platform(session_.config())) return {}; // `prepare` has said so
    if (session_.config().skip_run_link_scripts) {
        add_message(link_script_path(script, package.record.name) + " of " + package.record.dist_name() +
                    " was not run (skip_run_link_scripts)");
        return {};
    }
    LinkScriptContext where;
    where.prefix = plan_.prefix;
    where.root_prefix = session_.config().root_prefix;
    where.package_dir = package.directory;
    where.environment = session_.config().environment;
    where.stop = &session_.stop().flag();
    TAIPAN_TRY(where.prefix_variables, prefix_variables(plan_.prefix));
    TAIPAN_TRY(auto outcome, run_link_script(script, package.record, where));
    add_message(std::move(outcome.messages));
    for (auto& warning : outcome.warnings) add_message(std::move(warning));
    return {};
}

Result<void> LinkStage::run_post_link_scripts() {
    for (const Linked& package : packages_) {
        if (package.planned && !package.partial && package.post_link)
            TAIPAN_CHECK(run_script(LinkScript::post_link, package));
    }
    return {};
}

Result<void> LinkStage::compile() {
    if (!compiler_) return {};
    auto compiled = compiler_->finish(contested_);
    if (!compiled) {
        Error error =
            std::move(compiled)
                .context("while byte-compiling the Python sources of " + plan_.prefix + "; --no-pyc leaves that out")
                .error();
        if (error.code != ErrorCode::io) return error;
        // A python that does not run here is no reason to do without an environment: as in conda and mamba.
        session_.sink().note(Severity::warning, error.describe());
        return {};
    }
    report_.compiled_files += *compiled;
    report_.left_out_files += compiler_->sources_removed();
    report_.left_out_bytes += compiler_->bytes_removed();
    return {};
}

Result<void> LinkStage::write_records() {
    Span span(session_.sink(), Stage::record, plan_.prefix, packages_.size());
    FirstError errors;
    tbb::parallel_for(std::size_t{0}, packages_.size(), [&](std::size_t i) {
        Linked& package = packages_[i];
        if (package.planned && !package.partial && !package.recorded) errors.take(write_record(package));
    });
    TAIPAN_CHECK(errors.result());
    span.succeed();
    return {};
}

/// Takes the paths out of the package's plan.
Result<void> LinkStage::write_record(Linked& package) {
    RecordOrigin origin;
    if (session_.config().reproducible) { // then a record tells nothing of this machine
        package.plan.link_type = LinkType::hardlink;
    } else {
        const std::string archives = package.cache != nullptr ? std::string(parent_path(package.directory))
                                                              : supply_.cache().writable_directory();
        if (!archives.empty()) origin.package_tarball_full_path = archives + '/' + package.record.fn;
        if (package.cache != nullptr) origin.extracted_package_dir = package.directory;
    }
    if (!package.requested_spec.empty()) origin.requested_specs = {package.requested_spec};
    const std::vector<PycItem> modules = std::move(package.plan.pyc);
    PrefixRecord record =
        installed_record(std::move(package.record), std::move(package.plan), package.placed, std::move(origin));
    leave_out_gone_sources(record, modules, transaction_.prefix_fd());
    stat_pyc_files(record, transaction_.prefix_fd());
    TAIPAN_CHECK(plan_.new_prefix ? create_prefix_record(plan_.prefix, record)
                                  : write_prefix_record(plan_.prefix, record));
    package.record = std::move(record.package);
    package.recorded = true;
    return {};
}

} // namespace taipan
