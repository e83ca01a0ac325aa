// The link order of conda (conda-spec 3.6).
//
// Packages without any tie come first, then layer after layer everything whose dependencies are done, alphabetical
// inside a layer. Two exceptions: python does not wait for pip (which depends on python), and menuinst goes before
// everything else that depends on python. A cycle is broken at the package that waits for the fewest others.
#include "solve/topological.hpp"

#include <algorithm>
#include <string>
#include <string_view>
#include <unordered_map>

#include "model/dependency_name.hpp"

namespace taipan {
namespace {

struct Graph {
    std::vector<std::vector<std::size_t>> dependents; ///< by package: who waits for it
    std::vector<std::size_t> waits_for;               ///< by package: how many it waits for
    std::vector<bool> tied;                           ///< has a dependency or a dependent

    explicit Graph(std::size_t size) : dependents(size), waits_for(size, 0), tied(size, false) {}

    void add_edge(std::size_t from, std::size_t to) {
        auto& list = dependents[to];
        if (std::find(list.begin(), list.end(), from) != list.end()) return;
        list.push_back(from);
        ++waits_for[from];
        tied[from] = tied[to] = true;
    }
};

using Index = std::unordered_map<std::string_view, std::size_t>;

/// menuinst before what depends on python, unless menuinst itself needs that.
void put_menuinst_early(Graph& graph, const Index& index) {
    const auto menuinst = index.find("menuinst");
    const auto python = index.find("python");
    if (menuinst == index.end() || python == index.end()) return;
    std::vector<bool> before(graph.tied.size(), false); // menuinst and what it needs
    std::vector<std::size_t> pending = {menuinst->second};
    before[menuinst->second] = true;
    while (!pending.empty()) {
        const std::size_t at = pending.back();
        pending.pop_back();
        for (std::size_t other = 0; other < before.size(); ++other) {
            const auto& list = graph.dependents[other];
            if (before[other] || std::find(list.begin(), list.end(), at) == list.end()) continue;
            before[other] = true;
            pending.push_back(other);
        }
    }
    const auto dependents = graph.dependents[python->second];
    for (const std::size_t dependent : dependents)
        if (!before[dependent]) graph.add_edge(dependent, menuinst->second);
}

Graph build_graph(const std::vector<PackageRecord>& records) {
    Graph graph(records.size());
    Index index;
    for (std::size_t i = 0; i < records.size(); ++i) index.emplace(records[i].name, i);
    for (std::size_t i = 0; i < records.size(); ++i) {
        for (const auto& text : records[i].depends) {
            const auto found = index.find(dependency_name(text));
            if (found == index.end() || found->second == i) continue;
            if (records[i].name == "python" && found->first == "pip") continue;
            graph.add_edge(i, found->second);
        }
    }
    put_menuinst_early(graph, index);
    return graph;
}

} // namespace

std::vector<std::size_t> topological_order(const std::vector<PackageRecord>& records) {
    Graph graph = build_graph(records);
    const auto by_name = [&](std::size_t a, std::size_t b) {
        const int order = records[a].name.compare(records[b].name);
        return order != 0 ? order < 0 : a < b;
    };
    std::vector<std::size_t> order, layer, next;
    std::vector<bool> done(records.size(), false);
    order.reserve(records.size());
    const auto place = [&](std::size_t i) {
        done[i] = true;
        order.push_back(i);
        for (const std::size_t dependent : graph.dependents[i])
            if (--graph.waits_for[dependent] == 0 && !done[dependent]) next.push_back(dependent);
    };
    for (std::size_t i = 0; i < records.size(); ++i)
        if (!graph.tied[i]) layer.push_back(i);
    std::sort(layer.begin(), layer.end(), by_name);
    for (const std::size_t i : layer) place(i);

    next.clear();
    for (std::size_t i = 0; i < records.size(); ++i)
        if (!done[i] && graph.waits_for[i] == 0) next.push_back(i);
    while (order.size() < records.size()) {
        if (next.empty()) { // only cycles are left
            std::size_t best = records.size();
            for (std::size_t i = 0; i < records.size(); ++i) {
                if (done[i]) continue;
                if (best == records.size() || graph.waits_for[i] < graph.waits_for[best] ||
                    (graph.waits_for[i] == graph.waits_for[best] && by_name(i, best)))
                    best = i;
            }
            next.push_back(best);
        }
        layer.swap(next);
        next.clear();
        std::sort(layer.begin(), layer.end(), by_name);
        for (const std::size_t i : layer) place(i);
    }
    return order;
}

std::vector<PackageRecord> topological_sort(std::vector<PackageRecord> records) {
    const auto order = topological_order(records);
    std::vector<PackageRecord> sorted;
    sorted.reserve(records.size());
    for (const std::size_t i : order) sorted.push_back(std::move(records[i]));
    return sorted;
}

} // namespace taipan
