#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/result.hpp"
#include "model/match_spec.hpp"
#include "model/record.hpp"
#include "model/version.hpp"
#include "solve/candidate_source.hpp"
#include "solve/solve.hpp"

namespace taipan::solve_detail {

using EntryId = std::uint32_t;
using DependencyId = std::uint32_t;
using NameId = std::uint32_t;

/// One package that could be in the solution: offered by a channel, installed, or virtual.
struct Entry {
    PackageRecord record; ///< of an installed package: as conda-meta has it
    Version version;
    NameId name = 0;
    int channel_priority = 0; ///< of its channel; see Catalog::channel_priority
    int track_features = 0;   ///< how many
    bool installed = false;
    bool is_virtual = false;
    bool needs_pip = false; ///< as a dependency that its record does not tell
    /// strict channel priority: a channel above has this name.
    bool below_strict = false;
    /// For an installed package: the same package as the channel has it now.
    std::optional<PackageRecord> channel_record = {};

    bool described = false; ///< the members below are filled in
    std::vector<DependencyId> depends = {};
    std::vector<DependencyId> constrains = {};
    /// Why it cannot be installed on this machine at all; the dependency that is not fulfilled.
    std::optional<DependencyId> impossible = {};
    bool left_over = false; ///< installed, though by now it could not be installed on this machine
};

/// One dependency text; parsed once, answered once.
struct Dependency {
    std::string text;
    std::optional<MatchSpec> spec; ///< empty: not a match spec
    std::vector<NameId> names;     ///< which names it can be about: one, unless its name is a glob
    std::vector<EntryId> matches;  ///< of all loaded entries, blocked ones included
    bool answered = false;
};

struct Name {
    std::string text;
    std::vector<EntryId> entries; ///< installed one last if it is no twin
    std::optional<EntryId> installed;
    bool loaded = false;
};

/// Everything known about the names a request has touched so far. It only grows; several attempts share it.
class Catalog {
public:
    static Result<Catalog> create(const SolveRequest& request, CandidateSource& source);

    /// Loads the candidates of a name (lower case).
    Result<NameId> load(std::string_view name);
    /// The id of a name without loading it.
    NameId intern_name(std::string_view name);
    /// A dependency as a record has it.
    DependencyId dependency(std::string_view text);
    /// A spec of the request.
    DependencyId dependency(const MatchSpec& spec);
    /// Loads the names the dependency is about and finds out what fulfils it.
    Result<void> answer(DependencyId id);
    /// Fills in depends, constrains and impossible.
    Result<void> describe(EntryId id);

    [[nodiscard]] const Entry& entry(EntryId id) const { return entries_[id]; }
    [[nodiscard]] const Dependency& dependency(DependencyId id) const { return dependencies_[id]; }
    [[nodiscard]] const Name& name(NameId id) const { return names_[id]; }
    [[nodiscard]] std::optional<NameId> find_name(std::string_view text) const;
    [[nodiscard]] std::size_t entry_count() const { return entries_.size(); }
    [[nodiscard]] std::size_t dependency_count() const { return dependencies_.size(); }
    [[nodiscard]] std::size_t name_count() const { return names_.size(); }
    [[nodiscard]] bool matches(const MatchSpec& spec, EntryId id) const {
        return spec.matches(entries_[id].record, entries_[id].version);
    }
    /// How much the entry's channel is preferred; that of an installed package counts as the best of its name.
    [[nodiscard]] int channel_priority(const Entry& entry) const;
    [[nodiscard]] const SolveRequest& request() const { return *request_; }
    CandidateSource& source() { return *source_; }

private:
    Catalog(const SolveRequest& request, CandidateSource& source) : request_(&request), source_(&source) {}
    EntryId add(PackageRecord record, NameId name, int channel_priority, Version version);
    void add_installed(const PackageRecord& record, NameId name);
    DependencyId add_dependency(std::string text, std::optional<MatchSpec> spec);

    const SolveRequest* request_;
    bool python_brings_pip_ = false; ///< also from another subdir
    CandidateSource* source_;
    std::deque<Entry> entries_;
    std::deque<Dependency> dependencies_;
    std::deque<Name> names_;
    std::unordered_map<std::string_view, NameId> name_ids_;             ///< views of names_
    std::unordered_map<std::string_view, DependencyId> dependency_ids_; ///< views of dependencies_
};

} // namespace taipan::solve_detail
