// The history is shared with conda and mamba and never rewritten: blocks are appended, and what a block says about
// packages is the difference between what the file implies and what is there (conda-spec 4.3), so that a tool that
// forgot its lines is made good by the next one.

#include "prefix/history.hpp"

#include <algorithm>
#include <optional>

#include "base/filesystem.hpp"

namespace taipan {

namespace {

constexpr std::uint64_t history_limit = std::uint64_t{256} << 20;

std::string_view strip(std::string_view text) {
    constexpr std::string_view blanks = " \t\r\n";
    const std::size_t first = text.find_first_not_of(blanks);
    if (first == std::string_view::npos) return {};
    return text.substr(first, text.find_last_not_of(blanks) - first + 1);
}

/// `# update specs: [...]`: the verb and the list after the colon; nullopt for other comments.
struct SpecLine {
    std::string_view verb, list;
};
std::optional<SpecLine> parse_spec_line(std::string_view line) {
    line = strip(line.substr(1));
    const std::size_t verb_end = std::min(line.find_first_not_of("abcdefghijklmnopqrstuvwxyz_"), line.size());
    const std::string_view rest = strip(line.substr(verb_end));
    if (verb_end == 0 || !rest.starts_with("specs:")) return std::nullopt;
    return SpecLine{line.substr(0, verb_end), strip(rest.substr(6))};
}

void add_specs(HistoryBlock& block, const SpecLine& line) {
    std::vector<std::string>* target = nullptr;
    if (line.verb == "update" || line.verb == "install" || line.verb == "create")
        target = &block.update_specs;
    else if (line.verb == "remove" || line.verb == "uninstall")
        target = &block.remove_specs;
    else if (line.verb == "neutered")
        target = &block.neutered_specs;
    if (target == nullptr) return;
    for (std::string& spec : parse_spec_list(line.list)) {
        if (!spec.empty() && !spec.ends_with('@')) target->push_back(std::move(spec)); // `feature@` is dead
    }
}

void add_comment(HistoryBlock& block, std::string_view line) {
    constexpr std::string_view command = "# cmd:";
    constexpr std::string_view version = "# conda version:";
    if (line.starts_with(command))
        block.command = strip(line.substr(command.size()));
    else if (line.starts_with(version))
        block.tool_version = strip(line.substr(version.size()));
    else if (const auto specs = parse_spec_line(line))
        add_specs(block, *specs);
}

void append_specs(std::string& text, std::string_view verb, const std::vector<std::string>& specs) {
    if (specs.empty()) return;
    text.append("# ").append(verb).append(" specs: ").append(python_list(specs)).append("\n");
}

} // namespace

std::vector<HistoryBlock> parse_history(std::string_view text) {
    std::vector<HistoryBlock> blocks;
    while (!text.empty()) {
        const std::size_t end = std::min(text.find('\n'), text.size());
        const std::string_view line = strip(text.substr(0, end));
        text.remove_prefix(std::min(end + 1, text.size()));
        if (line.empty()) continue;
        if (line.starts_with("==>") && line.ends_with("<==") && line.size() >= 6) {
            blocks.emplace_back().date = strip(line.substr(3, line.size() - 6));
            continue;
        }
        if (blocks.empty()) blocks.emplace_back(); // very old files start without a head line
        HistoryBlock& block = blocks.back();
        if (line.front() == '#')
            add_comment(block, line);
        else if (line.front() == '+')
            block.added.emplace_back(line.substr(1));
        else if (line.front() == '-')
            block.removed.emplace_back(line.substr(1));
        else
            block.added.emplace_back(line); // their first block lists the whole state
    }
    return blocks;
}

std::set<std::string> history_state(const std::vector<HistoryBlock>& blocks, std::size_t count) {
    std::set<std::string> state;
    for (std::size_t i = 0; i < std::min(count, blocks.size()); ++i) {
        for (const std::string& dist : blocks[i].removed) state.erase(dist);
        for (const std::string& dist : blocks[i].added) state.insert(dist);
    }
    return state;
}

std::map<std::string, MatchSpec> requested_specs(const std::vector<HistoryBlock>& blocks,
                                                 const std::set<std::string>& installed,
                                                 const ChannelSettings& settings) {
    std::map<std::string, MatchSpec> requested;
    const auto set_all = [&](const std::vector<std::string>& specs) {
        for (const std::string& text : specs) {
            if (auto spec = MatchSpec::parse(text, settings))
                requested.insert_or_assign(spec->name(), *std::move(spec));
        }
    };
    for (const HistoryBlock& block : blocks) {
        if (block.command.empty()) continue; // conda ignores the requests of such a block
        for (const std::string& text : block.remove_specs) {
            if (const auto spec = MatchSpec::parse(text, settings)) requested.erase(spec->name());
        }
        set_all(block.update_specs);
        set_all(block.neutered_specs);
    }
    std::erase_if(requested, [&](const auto& item) { return !installed.contains(item.first); });
    return requested;
}

std::string format_history_block(const HistoryEntry& entry, const std::set<std::string>& before,
                                 const std::set<std::string>& after) {
    std::string lines;
    for (const std::string& dist : before) {
        if (!after.contains(dist)) lines.append("-").append(dist).append("\n");
    }
    for (const std::string& dist : after) {
        if (!before.contains(dist)) lines.append("+").append(dist).append("\n");
    }
    append_specs(lines, "remove", entry.remove_specs);
    append_specs(lines, "update", entry.update_specs);
    append_specs(lines, "neutered", entry.neutered_specs);
    if (lines.empty()) return {};
    std::string command = entry.command_line;
    std::replace(command.begin(), command.end(), '\n', ' '); // one line, whatever the arguments were
    return "==> " + entry.local_time + " <==\n# cmd: " + command + "\n# conda version: " + entry.tool_version + "\n" +
           lines;
}

Result<std::vector<HistoryBlock>> load_history(const std::string& prefix) {
    const std::string path = prefix + "/conda-meta/history";
    if (!exists(path)) return std::vector<HistoryBlock>{};
    TAIPAN_TRY(const std::string text, read_regular_file(path, history_limit));
    return parse_history(text);
}

Result<void> append_history(const std::string& prefix, const HistoryEntry& entry,
                            const std::vector<PackageRecord>& installed) {
    TAIPAN_TRY(const std::vector<HistoryBlock> blocks, load_history(prefix));
    std::set<std::string> after;
    for (const PackageRecord& package : installed) after.insert(package.dist_string());
    const std::string block = format_history_block(entry, history_state(blocks), after);
    if (block.empty()) return {};
    return append_to_file(prefix + "/conda-meta/history", block);
}

} // namespace taipan
