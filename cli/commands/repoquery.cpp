#include <algorithm>

#include "base/filesystem.hpp"
#include "flow/package_source.hpp"
#include "model/version.hpp"
#include "prefix/prefix_data.hpp"
#include "program/common_options.hpp"
#include "requests/target_prefix.hpp"
#include "screen/repoquery_text.hpp"
#include "screen/watched_run.hpp"

// `repoquery search|depends|whoneeds`, in mamba's forms. Without --local or --remote, `search` asks the channels; the
// others ask the environment, unless a channel is named or there is none.

namespace taipan::cli {

namespace {

enum class Question { search, depends, whoneeds };

class Repoquery final : public Command {
public:
    explicit Repoquery(Question question) : question_(question) {}

    Options options() override {
        const std::string group = "Question";
        Options options = {
            {"specs", &specs_, "SPEC", "names, globs or specs like 'numpy>=2'", group},
            {"--local", &local_, {}, "ask what is installed in the environment", group},
            {"--remote,-a,--all-channels", &remote_, {}, "ask the channels", group},
            {"--pretty", &pretty_, {}, "all that is known of each package", group},
        };
        if (question_ != Question::search) {
            options.push_back({"-t,--tree", &tree_, {}, "as a tree, to the end", group});
            options.push_back({"--recursive", &recursive_, {}, "also what is needed in turn, to the end", group});
        }
        append(options, common_.prefix_options());
        append(options, common_.channel_options());
        append(options, common_.output_options());
        append(options, common_.config_options());
        return options;
    }
    [[nodiscard]] std::string usage_error() const override {
        if (specs_.empty()) return "name at least one package";
        if (local_ && remote_) return "--local and --remote exclude each other";
        return common_.usage_error();
    }
    [[nodiscard]] bool wants_json() const override { return json_; }

    Result<int> run(Invocation& invocation) override {
        TAIPAN_TRY(auto config, load_settings_for_output(invocation, common_, json_));
        std::vector<MatchSpec> wanted;
        for (const auto& text : specs_) {
            TAIPAN_TRY(auto spec, MatchSpec::parse(text, config.channel_settings));
            wanted.push_back(std::move(spec));
        }
        TAIPAN_TRY(const auto prefix, resolve_target(invocation, common_, config, WithoutTarget::active_or_root));
        if (asks_environment(prefix)) {
            TAIPAN_CHECK(require_environment(prefix));
            TAIPAN_TRY(const auto data, load_prefix(prefix, RecordDetail::identity, config.channel_settings));
            InstalledPackages installed(data.packages());
            auto code = answer(invocation.console, installed, wanted);
            if (code && !json_ && nothing_found_) invocation.console.print("Try looking remotely with '--remote'.\n");
            return code;
        }
        WatchedRun watched(invocation.console, config.quiet || json_, config.verbosity);
        const auto channels = request_channels(common_, config, {}, false);
        Session session(std::move(config), *watched.progress, watched.stop);
        TAIPAN_TRY(auto packages, ChannelPackages::load(session, channels, wanted));
        watched.progress->finish();
        return answer(invocation.console, packages.source(), wanted);
    }

private:
    [[nodiscard]] bool asks_environment(const std::string& prefix) const {
        if (local_ || remote_) return local_;
        const bool elsewhere = question_ == Question::search || !common_.channels.empty() || common_.subdir;
        return !elsewhere && is_environment(prefix);
    }

    Result<PackageGraph> ask(CandidateSource& source, const MatchSpec& spec) const {
        if (question_ == Question::depends) return needed_packages(source, spec, recursive_ || tree_);
        if (question_ == Question::whoneeds) return needing_packages(source, spec, recursive_ || tree_);
        PackageGraph graph;
        TAIPAN_TRY(auto found, find_packages(source, spec));
        // By name, the newest first, builds of one version as they came.
        const auto before = [](const PackageRecord& a, const PackageRecord& b) {
            if (a.name != b.name) return a.name < b.name;
            const auto version_a = Version::parse(a.version), version_b = Version::parse(b.version);
            return version_a && version_b && *version_b < *version_a;
        };
        std::stable_sort(found.begin(), found.end(), before);
        for (auto& record : found) graph.nodes.push_back({std::move(record), {}, {}});
        graph.roots = graph.nodes.size();
        return graph;
    }

    Result<int> answer(Console& console, CandidateSource& source, const std::vector<MatchSpec>& wanted) {
        std::vector<PackageGraph> graphs;
        for (const auto& spec : wanted) {
            TAIPAN_TRY(auto graph, ask(source, spec));
            graphs.push_back(std::move(graph));
        }
        if (json_) {
            console.print(document(graphs));
            return exit_success;
        }
        for (std::size_t i = 0; i < graphs.size(); ++i) {
            console.print(text(graphs[i], specs_[i]));
            nothing_found_ = nothing_found_ || listed(graphs[i], true).empty();
        }
        return exit_success;
    }

    /// The nodes that are listed: those who need it leave out what is needed.
    [[nodiscard]] std::vector<const PackageGraph::Node*> listed(const PackageGraph& graph, bool sorted) const {
        std::vector<const PackageGraph::Node*> nodes;
        const std::size_t first = question_ == Question::whoneeds ? graph.roots : 0;
        for (std::size_t i = first; i < graph.nodes.size(); ++i) nodes.push_back(&graph.nodes[i]);
        if (question_ == Question::search || !sorted) return nodes;
        const auto key = [](const PackageGraph::Node* node) { return node->found() ? node->record.name : node->spec; };
        std::stable_sort(nodes.begin(), nodes.end(), [&](const auto* a, const auto* b) { return key(a) < key(b); });
        return nodes;
    }

    [[nodiscard]] std::string text(const PackageGraph& graph, const std::string& spec) const {
        if (tree_ && graph.roots > 0) return package_tree(graph);
        const auto nodes = listed(graph, true);
        if (nodes.empty()) return "No entries matching \"" + spec + "\" found\n";
        if (question_ != Question::search) return package_columns(nodes, question_ == Question::whoneeds);
        std::vector<const PackageRecord*> records;
        for (const auto* node : nodes) records.push_back(&node->record);
        // As in mamba: who names a package wants to see it, who asks with a glob wants a list.
        const bool in_full = pretty_ || spec.find('*') == std::string::npos;
        return in_full ? package_overviews(records) : version_columns(records);
    }

    [[nodiscard]] std::string document(const std::vector<PackageGraph>& graphs) const {
        std::vector<QueryAnswer> answers;
        for (std::size_t i = 0; i < graphs.size(); ++i) {
            QueryAnswer answer;
            answer.type = question_ == Question::search    ? "search"
                          : question_ == Question::depends ? "depends"
                                                           : "whoneeds";
            answer.query = specs_[i];
            for (std::size_t root = 0; root < graphs[i].roots; ++root) {
                answer.roots.push_back(&graphs[i].nodes[root].record);
            }
            for (const auto* node : listed(graphs[i], false)) {
                if (node->found()) answer.packages.push_back(&node->record);
            }
            answers.push_back(std::move(answer));
        }
        return query_json(answers);
    }

    Question question_;
    CommonOptions common_;
    std::vector<std::string> specs_;
    bool local_ = false, remote_ = false, pretty_ = false, tree_ = false, recursive_ = false, json_ = false;
    bool nothing_found_ = false;
};

} // namespace

std::unique_ptr<Command> make_repoquery_search() { return std::make_unique<Repoquery>(Question::search); }
std::unique_ptr<Command> make_repoquery_depends() { return std::make_unique<Repoquery>(Question::depends); }
std::unique_ptr<Command> make_repoquery_whoneeds() { return std::make_unique<Repoquery>(Question::whoneeds); }

} // namespace taipan::cli
