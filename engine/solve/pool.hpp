#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "base/result.hpp"
#include "solve/attempt.hpp"
#include "solve/catalog.hpp"
#include "solve/ranking.hpp"

namespace taipan::solve_detail {

/// One reason of a contradiction, in terms of the catalog.
struct Reason {
    enum class Kind : std::uint8_t {
        job,             ///< the job must be fulfilled
        job_no_provider, ///< nothing that may be chosen fulfils the job
        requires_,       ///< `source` needs `dependency`
        no_provider,     ///< `source` needs `dependency`, which nothing that may be chosen fulfils
        constrains,      ///< `source` does not go together with `target`, by `dependency`
        same_name,       ///< `source` and `target` have one name
        keeps,           ///< the installed `source` is to stay or be updated
        other
    };
    Kind kind = Kind::other;
    std::optional<EntryId> source, target;
    std::optional<DependencyId> dependency;
    std::optional<std::size_t> job; ///< index
};

/// What libsolv answered.
struct Answer {
    bool solved = false;
    std::vector<EntryId> chosen;               ///< when solved: everything that is there afterwards, ascending
    std::vector<std::vector<Reason>> problems; ///< when not
};

/// Puts what was reached into a libsolv pool and solves the jobs. `ranks` as of rank_entries.
Result<Answer> run_libsolv(const Catalog& catalog, const Reach& reach, const Ranks& ranks,
                           const std::vector<Job>& jobs);

} // namespace taipan::solve_detail
