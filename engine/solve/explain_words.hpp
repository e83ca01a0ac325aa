#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "solve/attempt.hpp"
#include "solve/catalog.hpp"
#include "solve/jobs.hpp"

namespace taipan::solve_detail {

/// Turns entries, dependencies and limits into words.
class Words {
public:
    Words(Catalog& catalog, const AttemptPlan& plan, const Reach& reach)
        : catalog_(catalog), plan_(plan), reach_(reach) {}

    /// "1.0, 1.2, 2.0 and 7 older", newest last, each version once.
    [[nodiscard]] std::string versions(std::vector<EntryId> entries) const;
    /// What there is of the name where nothing matches the spec: builds where its version is there, else versions.
    [[nodiscard]] std::string instead_of(const MatchSpec& spec, std::vector<EntryId> entries) const;
    /// "name version build".
    [[nodiscard]] std::string package(EntryId id) const;
    /// Dependencies of one name as alternatives: "lib >=2 | <1 and 3 more".
    [[nodiscard]] std::string alternatives(const std::vector<DependencyId>& ids) const;
    /// Who wants what an install job asks for: "requested", "requested earlier", "pinned".
    [[nodiscard]] std::string origin(const Job& job) const;
    /// Why these may not be chosen; empty when they may.
    [[nodiscard]] std::string why_blocked(const std::vector<EntryId>& some) const;
    /// Why nothing that may be chosen fulfils a dependency.
    [[nodiscard]] std::string why_none(DependencyId id);

private:
    [[nodiscard]] std::vector<std::string> distinct_alternatives(const std::vector<DependencyId>& ids) const;
    [[nodiscard]] std::string blocked(Block block, const std::vector<EntryId>& entries) const;
    [[nodiscard]] std::string impossible(const std::string& which, const Entry& entry) const;
    [[nodiscard]] std::string pinned(const std::string& which, const std::string& name) const;
    [[nodiscard]] std::string hidden(const std::string& which, const Entry& entry) const;

    Catalog& catalog_;
    const AttemptPlan& plan_;
    const Reach& reach_;
};

[[nodiscard]] std::string join(const std::vector<std::string>& parts, std::string_view separator);

} // namespace taipan::solve_detail
