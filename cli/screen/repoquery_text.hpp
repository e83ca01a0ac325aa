#pragma once

#include <string>
#include <vector>

#include "model/record.hpp"
#include "solve/query.hpp"

namespace taipan::cli {

/// A dependency that no package fulfils, in words: virtual packages come with the machine.
[[nodiscard]] std::string unmet_dependency(const std::string& spec);

/// Packages as mamba's repoquery lists them; with `depends` the dependency of each that led to it.
[[nodiscard]] std::string package_columns(const std::vector<const PackageGraph::Node*>& nodes, bool depends);

/// Found packages as mamba's `search` shows them: a line for each version, with the best build of it and how many more
/// there are.
[[nodiscard]] std::string version_columns(const std::vector<const PackageRecord*>& records);

/// The same in full: for each name all of its best package, and which other versions there are.
[[nodiscard]] std::string package_overviews(const std::vector<const PackageRecord*>& records);

/// The graph as a tree for each root; what was shown already is not shown again.
[[nodiscard]] std::string package_tree(const PackageGraph& graph);

/// mamba's document: what was asked, and the packages.
struct QueryAnswer {
    std::string type, query;
    std::vector<const PackageRecord*> roots; ///< for `depends`; `whoneeds` has the query there
    std::vector<const PackageRecord*> packages;
};
[[nodiscard]] std::string query_json(const std::vector<QueryAnswer>& answers);

} // namespace taipan::cli
