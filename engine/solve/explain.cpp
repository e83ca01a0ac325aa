// Why a request cannot be fulfilled, for people and, with the same facts, for programs.
//
// First the heart of the matter, where it is as simple as two requirements of one package that exclude each other. Then
// a tree, starting at what was asked for: below a wish the packages that could fulfil it, below a package what it needs
// that cannot be had, down to where it ends: a version that does not exist, something a pin or the machine forbids, or
// packages that exclude each other (explain_tree.cpp).
#include "solve/explain.hpp"

#include "base/json_writer.hpp"
#include "solve/explain_tree.hpp"
#include "solve/explain_words.hpp"
#include "solve/solver_problems.hpp"

namespace taipan::solve_detail {
namespace {

void render(const std::vector<Node>& nodes, const std::string& indent, std::string& out) {
    for (std::size_t i = 0; i < nodes.size(); ++i) {
        const bool last = i + 1 == nodes.size();
        out += '\n' + indent + (last ? "└─ " : "├─ ") + nodes[i].text;
        render(nodes[i].children, indent + (last ? "   " : "│  "), out);
    }
}

/// "no python fits both", then a line each: "python=3.7 (requested)", "python 2.7.* (needed by a 1.0)".
std::string sentence(const Conflict& conflict) {
    std::string text =
        "no " + conflict.name + (conflict.blocked.empty() ? " fits both" : " that may be chosen fits both");
    for (const auto& demand : conflict.demands)
        text += "\n  - " + demand.spec + " (" +
                (demand.constraint   ? "a constraint of "
                 : demand.by_package ? "needed by "
                                     : "") +
                demand.by + ')';
    if (!conflict.blocked.empty()) text += "\n  (" + conflict.blocked + ")";
    return text;
}

std::string text_of(const Explanation& explanation) {
    std::string text = "The request cannot be fulfilled: ";
    if (explanation.conflicts.empty()) {
        text += "no set of packages satisfies all of this";
    } else {
        for (std::size_t i = 0; i < explanation.conflicts.size(); ++i)
            text += (i == 0 ? "" : "\nand ") + sentence(explanation.conflicts[i]);
    }
    render(explanation.roots, "", text);
    return text;
}

void write(JsonWriter& json, const Node& node) {
    json.begin_object();
    if (!node.children.empty()) {
        json.key("because").begin_array();
        for (const auto& child : node.children) write(json, child);
        json.end_array();
    }
    json.member("kind", node.kind);
    if (!node.name.empty()) json.member("name", node.name);
    if (!node.reason.empty()) json.member("reason", node.reason);
    if (!node.spec.empty()) json.member("spec", node.spec);
    json.member("text", node.text);
    if (!node.versions.empty()) json.member("versions", node.versions);
    json.end_object();
}

std::string json_of(const Explanation& explanation, const std::vector<std::string>& problems) {
    JsonWriter json;
    json.begin_object().key("conflicts").begin_array();
    for (const auto& conflict : explanation.conflicts) {
        json.begin_object().member("blocked", conflict.blocked).key("demands").begin_array();
        for (const auto& demand : conflict.demands)
            json.begin_object()
                .member("by", demand.by)
                .member("by_package", demand.by_package)
                .member("constraint", demand.constraint)
                .member("spec", demand.spec)
                .end_object();
        json.end_array().member("name", conflict.name).end_object();
    }
    json.end_array().key("problems").begin_array();
    for (const auto& node : explanation.roots) write(json, node);
    return json.end_array().member("solver_problems", problems).end_object().take();
}

/// A requested spec that nothing matches.
struct Missing {
    std::string spec, available;
    std::vector<std::string> similar;
    std::vector<std::string> platforms; ///< others, for which there is one

    [[nodiscard]] std::string remark() const {
        std::string text;
        if (!available.empty()) text = "there is " + available;
        if (!platforms.empty())
            text += text.empty() ? "exists for " + join(platforms, ", ") + " only"
                                 : "; it exists for " + join(platforms, ", ");
        else if (!similar.empty())
            text = "did you mean " + join(similar, ", ") + '?';
        return text.empty() ? text : " (" + text + ')';
    }
};

Error not_found(const std::vector<Missing>& missing, const std::vector<std::string>& channels) {
    std::string text = "The following packages are not available from current channels:\n";
    std::vector<std::string> problems;
    JsonWriter json;
    json.begin_object().member("channels", channels).key("missing").begin_array();
    for (const auto& one : missing) {
        text += "\n  - " + one.spec + one.remark();
        problems.push_back("nothing provides requested " + one.spec);
        json.begin_object().member("available", one.available).member("platforms", one.platforms);
        json.member("similar", one.similar).member("spec", one.spec).end_object();
    }
    text += "\n\nCurrent channels:\n";
    for (const auto& channel : channels) text += "\n  - " + channel;
    if (channels.empty()) text += "\n  (none)";
    Error error = make_error(ErrorCode::package_not_found, std::move(text));
    error.details = json.end_array().member("solver_problems", problems).end_object().take();
    return error;
}

} // namespace

Error explain(Catalog& catalog, const AttemptPlan& plan, const Reach& reach, const Answer& answer) {
    const Explanation explanation = make_explanation(catalog, plan, reach, answer);
    Error error = make_error(ErrorCode::unsatisfiable, text_of(explanation));
    error.details = json_of(explanation, solver_problems(catalog, plan, answer));
    return error;
}

Result<void> check_requested_exist(Catalog& catalog) {
    const auto& request = catalog.request();
    std::vector<Missing> missing;
    std::vector<std::string> all_names;
    const AttemptPlan no_plan;
    const Reach no_reach(catalog, no_plan.limits);
    const Words words(catalog, no_plan, no_reach);
    for (const auto* specs : {&request.install, &request.update}) {
        for (const auto& spec : *specs) {
            const DependencyId id = catalog.dependency(spec);
            TAIPAN_CHECK(catalog.answer(id));
            if (!catalog.dependency(id).matches.empty()) continue;
            Missing one{spec.to_string(), {}, {}, catalog.source().other_platforms(spec)};
            std::vector<EntryId> entries;
            for (const NameId name : catalog.dependency(id).names) {
                const auto& of_name = catalog.name(name).entries;
                entries.insert(entries.end(), of_name.begin(), of_name.end());
            }
            if (entries.empty()) {
                if (all_names.empty()) all_names = catalog.source().all_names();
                one.similar = similar_names(spec.name(), all_names);
            } else {
                one.available = words.instead_of(spec, entries);
            }
            missing.push_back(std::move(one));
        }
    }
    if (missing.empty()) return {};
    return not_found(missing, catalog.source().searched_channels());
}

} // namespace taipan::solve_detail
