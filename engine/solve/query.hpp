#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "model/match_spec.hpp"
#include "model/record.hpp"
#include "solve/candidate_source.hpp"

namespace taipan {

/// Packages and who needs whom, as far as a question reached.
struct PackageGraph {
    struct Node {
        PackageRecord record;            ///< empty when nothing is known that would fulfil the dependency
        std::string spec;                ///< the dependency that led here first; empty for a root
        std::vector<std::size_t> nearby; ///< what it needs (or, asked the other way, what needs it), in order
        [[nodiscard]] bool found() const { return !record.name.empty(); }
    };
    std::vector<Node> nodes; ///< the roots, then in the order in which they were reached
    std::size_t roots = 0;   ///< so many of the first nodes match the question itself
};

/// Every package that matches, sorted by name, version and build. The same package in several channels is there several
/// times.
Result<std::vector<PackageRecord>> find_packages(CandidateSource& source, const MatchSpec& spec);

/// What the best package that matches needs: with `recursive`, and what that needs, and so on. For each
/// dependency the best package by channel, version and build stands, which need not be the one that a solve would
/// choose. No roots: nothing matches.
Result<PackageGraph> needed_packages(CandidateSource& source, const MatchSpec& spec, bool recursive);

/// The packages of which some dependency is fulfilled by one that matches (or just names it, when that is all that was
/// asked), from the best of each name on. With `recursive` also those that need these, and so on, but each name
/// once, in its best version. Nodes that are not roots carry the dependency in `spec`.
Result<PackageGraph> needing_packages(CandidateSource& source, const MatchSpec& spec, bool recursive);

} // namespace taipan
