#pragma once

#include <string>
#include <vector>

#include "model/record.hpp"
#include "solve/query.hpp"

namespace taipan::cli {

/// Packages as mamba's repoquery lists them; with `depends` the dependency of each that led to it.
[[nodiscard]] std::string package_columns(const std::vector<const PackageGraph::Node*>& nodes, bool depends);

/// The graph as a tree for each root; what was shown already is not shown again.
[[nodiscard]] std::string package_tree(const PackageGraph& graph);

/// mamba's document: what was asked, and the packages.
struct QueryAnswer {
    std::string type, query;
    std::vector<const PackageRecord*> roots, packages;
};
[[nodiscard]] std::string query_json(const std::vector<QueryAnswer>& answers);

} // namespace taipan::cli
