// What the solver knows about packages.
//
// Problem: an index has a million records, a request reaches a few thousand. Approach: names are loaded when something
// asks for them, a dependency text is parsed and answered once, a record's dependencies are looked at only when it can
// be chosen. Matching and version order are ours (libsolv's differ from conda's, conda-spec 6.6); virtual packages are
// decided here too, since nothing can be done about them: a record that needs another machine is `impossible`.
#include "solve/catalog.hpp"

#include <algorithm>

namespace taipan::solve_detail {
namespace {

bool is_virtual_name(std::string_view name) { return name.starts_with("__"); }

int count_words(std::string_view text) {
    int words = 0;
    bool inside = false;
    for (const char letter : text) {
        const bool blank = letter == ' ';
        if (!blank && !inside) ++words;
        inside = !blank;
    }
    return words;
}

bool same_package(const PackageRecord& a, const PackageRecord& b) {
    return a.version == b.version && a.build == b.build && a.build_number == b.build_number && a.subdir == b.subdir &&
           a.channel_name == b.channel_name;
}

/// A version that cannot be parsed can only be an installed one: it ranks below everything.
Version parse_version_or_zero(const std::string& text) {
    if (auto version = Version::parse(text)) return std::move(*version);
    return std::move(*Version::parse("0"));
}

bool is_python_with_pip(const PackageRecord& record) {
    return record.name == "python" && (record.version.starts_with("2.") || record.version.starts_with("3."));
}

bool asks_for_python(const SolveRequest& request) {
    return std::any_of(request.install.begin(), request.install.end(),
                       [](const MatchSpec& spec) { return spec.name() == "python"; });
}

} // namespace

Result<Catalog> Catalog::create(const SolveRequest& request, CandidateSource& source) {
    Catalog catalog(request, source);
    for (const auto& record : request.virtual_packages) {
        const NameId name = catalog.intern_name(record.name);
        const EntryId id = catalog.add(record, name, 0, parse_version_or_zero(record.version));
        catalog.entries_[id].is_virtual = true;
        catalog.entries_[id].described = true;
    }
    if (request.add_pip_to_python && request.python_brings_pip && asks_for_python(request)) {
        TAIPAN_TRY(catalog.python_brings_pip_, source.has("pip"));
    }
    return catalog;
}

NameId Catalog::intern_name(std::string_view name) {
    if (const auto found = name_ids_.find(name); found != name_ids_.end()) return found->second;
    const auto id = static_cast<NameId>(names_.size());
    names_.emplace_back().text.assign(name);
    name_ids_.emplace(names_.back().text, id);
    return id;
}

std::optional<NameId> Catalog::find_name(std::string_view text) const {
    const auto found = name_ids_.find(text);
    if (found == name_ids_.end()) return std::nullopt;
    return found->second;
}

EntryId Catalog::add(PackageRecord record, NameId name, int channel_priority, Version version) {
    const auto id = static_cast<EntryId>(entries_.size());
    const int features = count_words(record.track_features);
    entries_.push_back({.record = std::move(record),
                        .version = std::move(version),
                        .name = name,
                        .channel_priority = channel_priority,
                        .track_features = features});
    names_[name].entries.push_back(id);
    return id;
}

/// Makes the channel's entry of the same package the installed one, or adds one.
void Catalog::add_installed(const PackageRecord& record, NameId name) {
    for (const EntryId id : names_[name].entries) {
        Entry& entry = entries_[id];
        if (!same_package(entry.record, record)) continue;
        entry.channel_record = std::move(entry.record);
        entry.record = record;
        entry.installed = true;
        entry.below_strict = entry.needs_pip = false;
        names_[name].installed = id;
        return;
    }
    const EntryId id = add(record, name, 0, parse_version_or_zero(record.version));
    entries_[id].installed = true;
    names_[name].installed = id;
}

/// What is installed is not worse for the channel it came from: as in libsolv, only its version counts.
int Catalog::channel_priority(const Entry& entry) const {
    int priority = entry.channel_priority;
    if (entry.installed)
        for (const EntryId other : names_[entry.name].entries)
            priority = std::max(priority, entries_[other].channel_priority);
    return priority;
}

Result<NameId> Catalog::load(std::string_view text) {
    const NameId name = intern_name(text);
    if (names_[name].loaded) return name;
    names_[name].loaded = true;
    if (is_virtual_name(text) && !names_[name].entries.empty()) return name; // what the system has, it has
    TAIPAN_TRY(auto candidates, source_->candidates(text));
    int best = 0;
    for (auto& candidate : candidates) {
        auto version = Version::parse(candidate.record.version);
        if (!version) continue; // no spec could name it, nothing could rank it
        best = names_[name].entries.empty() ? candidate.channel_priority : std::max(best, candidate.channel_priority);
        const bool needs_pip = (candidate.beside_pip || python_brings_pip_) && request_->add_pip_to_python &&
                               is_python_with_pip(candidate.record);
        const EntryId id = add(std::move(candidate.record), name, candidate.channel_priority, std::move(*version));
        entries_[id].needs_pip = needs_pip;
    }
    if (request_->channel_priority == ChannelPriority::strict)
        for (const EntryId id : names_[name].entries) entries_[id].below_strict = entries_[id].channel_priority < best;
    for (const auto& record : request_->installed)
        if (record.name == text) add_installed(record, name);
    return name;
}

DependencyId Catalog::add_dependency(std::string text, std::optional<MatchSpec> spec) {
    const auto id = static_cast<DependencyId>(dependencies_.size());
    auto& dependency = dependencies_.emplace_back();
    dependency.text = std::move(text);
    dependency.spec = std::move(spec);
    dependency_ids_.emplace(dependency.text, id);
    return id;
}

DependencyId Catalog::dependency(std::string_view text) {
    if (const auto found = dependency_ids_.find(text); found != dependency_ids_.end()) return found->second;
    auto spec = MatchSpec::parse(text);
    return add_dependency(std::string(text), spec ? std::optional(std::move(*spec)) : std::nullopt);
}

DependencyId Catalog::dependency(const MatchSpec& spec) {
    std::string text = spec.to_string();
    if (const auto found = dependency_ids_.find(text); found != dependency_ids_.end()) return found->second;
    return add_dependency(std::move(text), spec);
}

Result<void> Catalog::answer(DependencyId id) {
    Dependency& dependency = dependencies_[id];
    if (dependency.answered || !dependency.spec) return {};
    dependency.answered = true;
    if (dependency.spec->has_exact_name()) {
        TAIPAN_TRY(const NameId name, load(dependency.spec->name()));
        dependency.names.push_back(name);
    } else {
        TAIPAN_TRY(const auto names, source_->names_matching(dependency.spec->name()));
        for (const auto& text : names) {
            TAIPAN_TRY(const NameId name, load(text));
            dependency.names.push_back(name);
        }
    }
    for (const NameId name : dependency.names)
        for (const EntryId entry : names_[name].entries)
            if (matches(*dependency.spec, entry)) dependency.matches.push_back(entry);
    return {};
}

Result<void> Catalog::describe(EntryId id) {
    Entry& entry = entries_[id];
    if (entry.described) return {};
    entry.described = true;
    const auto forbid = [&](DependencyId dependency) {
        if (entry.installed)
            entry.left_over = true;
        else if (!entry.impossible)
            entry.impossible = dependency;
    };
    // What the system decides. A virtual package that it lacks can be in a channel, as an ordinary package: conda-lock
    // describes other systems in this way.
    const auto is_systems = [&](DependencyId dependency) -> Result<bool> {
        const std::string& text = dependencies_[dependency].spec->name();
        if (!is_virtual_name(text)) return false;
        TAIPAN_TRY(const NameId name, load(text));
        const auto& entries = names_[name].entries;
        return std::all_of(entries.begin(), entries.end(), [&](EntryId one) { return entries_[one].is_virtual; });
    };
    std::vector<DependencyId> depends, constrains;
    for (const auto& text : entry.record.depends) {
        const DependencyId dependency = this->dependency(text);
        if (!dependencies_[dependency].spec) {
            forbid(dependency);
            continue;
        }
        TAIPAN_TRY(const bool by_system, is_systems(dependency));
        if (by_system) {
            TAIPAN_CHECK(answer(dependency));
            if (dependencies_[dependency].matches.empty()) forbid(dependency);
        } else {
            depends.push_back(dependency);
        }
    }
    for (const auto& text : entry.record.constrains) {
        const DependencyId dependency = this->dependency(text);
        if (!dependencies_[dependency].spec) continue; // a constraint that nothing can break
        TAIPAN_TRY(const bool by_system, is_systems(dependency));
        if (by_system) {
            TAIPAN_CHECK(answer(dependency));
            const auto& names = dependencies_[dependency].names;
            const bool present =
                std::any_of(names.begin(), names.end(), [&](NameId name) { return !names_[name].entries.empty(); });
            if (present && dependencies_[dependency].matches.empty()) forbid(dependency);
        } else {
            constrains.push_back(dependency);
        }
    }
    if (entry.needs_pip) depends.push_back(dependency(std::string_view("pip")));
    entry.depends = std::move(depends);
    entry.constrains = std::move(constrains);
    return {};
}

} // namespace taipan::solve_detail
