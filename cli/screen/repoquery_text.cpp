#include "screen/repoquery_text.hpp"

#include <algorithm>
#include <set>

#include "base/json_writer.hpp"

namespace taipan::cli {

namespace {

std::string label(const PackageGraph::Node& node) {
    if (!node.found()) return unmet_dependency(node.spec);
    return node.record.version.empty() ? node.record.name : node.record.name + '[' + node.record.version + ']';
}

void draw(const PackageGraph& graph, std::size_t at, const std::string& indent, std::set<std::size_t>& shown,
          std::string& text) {
    const auto& nearby = graph.nodes[at].nearby;
    for (std::size_t i = 0; i < nearby.size(); ++i) {
        const bool last = i + 1 == nearby.size();
        const auto& node = graph.nodes[nearby[i]];
        const bool again = !shown.insert(nearby[i]).second;
        text += indent + (last ? "└─ " : "├─ ");
        if (again && node.found())
            text += node.record.name + " already visited\n";
        else
            text += label(node) + "\n";
        if (!again) draw(graph, nearby[i], indent + (last ? "   " : "│  "), shown, text);
    }
}

void write_record(JsonWriter& json, const PackageRecord& record) {
    json.begin_object();
    json.member("build", record.build);
    json.member("build_number", record.build_number);
    json.member("build_string", record.build);
    json.member("channel", record.channel_name);
    json.member("constrains", record.constrains);
    json.member("depends", record.depends);
    json.member("fn", record.fn);
    json.member("license", record.license);
    json.member("md5", record.md5);
    json.member("name", record.name);
    if (record.noarch != Noarch::none) json.member("noarch", record.noarch == Noarch::python ? "python" : "generic");
    if (!record.python_site_packages_path.empty())
        json.member("python_site_packages_path", record.python_site_packages_path);
    json.member("sha256", record.sha256);
    json.member("size", record.size.value_or(0));
    json.member("subdir", record.subdir);
    json.member("timestamp", record.timestamp.value_or(0) / 1000);
    json.member("track_features", record.track_features);
    json.member("url", record.url);
    json.member("version", record.version);
    json.end_object();
}

void write_answer(JsonWriter& json, const QueryAnswer& answer) {
    const auto records = [&](std::string_view key, const std::vector<const PackageRecord*>& list) {
        json.key(key).begin_array();
        for (const auto* record : list) write_record(json, *record);
        json.end_array();
    };
    json.begin_object();
    json.key("query").begin_object().member("query", answer.query).member("type", answer.type).end_object();
    json.key("result").begin_object();
    if (answer.type == "whoneeds" && !answer.packages.empty())
        json.member("graph_roots", std::vector<std::string>{answer.query});
    else if (answer.type == "depends" && !answer.roots.empty())
        records("graph_roots", answer.roots);
    json.member("msg", answer.packages.empty() ? "No entries matching \"" + answer.query + "\" found" : std::string());
    records("pkgs", answer.packages);
    json.member("status", "OK").end_object();
    json.end_object();
}

} // namespace

std::string unmet_dependency(const std::string& spec) {
    return spec + (spec.starts_with("__") ? " (virtual package)" : " >>> NOT FOUND <<<");
}

std::string package_tree(const PackageGraph& graph) {
    std::string text;
    std::set<std::size_t> shown;
    std::set<std::string> labels; // variants of one version have the same tree, nearly always
    for (std::size_t root = 0; root < graph.roots; ++root) {
        if (!shown.insert(root).second || !labels.insert(label(graph.nodes[root])).second) continue;
        text += label(graph.nodes[root]) + '\n';
        draw(graph, root, "  ", shown, text);
    }
    return text;
}

std::string query_json(const std::vector<QueryAnswer>& answers) {
    JsonWriter json(4);
    if (answers.size() == 1) {
        write_answer(json, answers.front());
        return json.take() + "\n";
    }
    json.begin_array();
    for (const auto& answer : answers) write_answer(json, answer);
    return json.end_array().take() + "\n";
}

} // namespace taipan::cli
