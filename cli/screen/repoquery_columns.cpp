// Packages in columns, and in full, as mamba's repoquery shows them.

#include <algorithm>
#include <map>
#include <set>

#include <fmt/format.h>

#include "model/version.hpp"
#include "screen/repoquery_text.hpp"

namespace taipan::cli {

namespace {

using Row = std::vector<std::string>;

/// Characters of UTF-8 are as many as bytes that begin one: what a column is wide.
std::size_t width_of(const std::string& text) {
    return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) { return (c & 0xC0) != 0x80; }));
}

/// The first row is the head, with a line under it. Column `right` is aligned to the right. A row may end early.
std::string columns(const std::vector<Row>& rows, std::size_t right, const std::string& indent = {}) {
    std::vector<std::size_t> widths(rows.front().size(), 0);
    for (const auto& row : rows)
        for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], width_of(row[i]));
    std::size_t total = 1;
    for (const std::size_t width : widths) total += width + 1;
    std::string text;
    for (const auto& row : rows) {
        std::string line = indent;
        for (std::size_t i = 0; i < row.size(); ++i) {
            const std::string blanks(widths[i] - width_of(row[i]), ' ');
            line += ' ' + (i == right ? blanks + row[i] : row[i] + blanks);
        }
        line.erase(line.find_last_not_of(' ') + 1);
        text += line + '\n';
        if (&row != &rows.front()) continue;
        text += indent;
        for (std::size_t i = 0; i < total; ++i) text += "─";
        text += '\n';
    }
    return text;
}

/// The packages of one name and version, the best build first.
using Builds = std::vector<const PackageRecord*>;

bool better_build(const PackageRecord* a, const PackageRecord* b) {
    if (a->build_number != b->build_number) return a->build_number > b->build_number;
    return a->build < b->build;
}

/// By name, then from the newest version on. The same package in another channel is no other build.
std::map<std::string, std::vector<Builds>> by_version(const std::vector<const PackageRecord*>& records) {
    std::map<std::string, std::map<Version, Builds>> sorted;
    std::set<std::string> seen;
    for (const auto* record : records) {
        if (!record->sha256.empty() && !seen.insert(record->sha256).second) continue;
        if (auto version = Version::parse(record->version)) sorted[record->name][std::move(*version)].push_back(record);
    }
    std::map<std::string, std::vector<Builds>> result;
    for (auto& [name, versions] : sorted) {
        for (auto at = versions.rbegin(); at != versions.rend(); ++at) {
            std::stable_sort(at->second.begin(), at->second.end(), better_build);
            result[name].push_back(std::move(at->second));
        }
    }
    return result;
}

void add_count(Row& row, const Builds& builds) {
    row.emplace_back(builds.size() > 1 ? "(+" : "");
    row.emplace_back(builds.size() > 1 ? std::to_string(builds.size() - 1) + " builds)" : "");
}

std::string facts(const PackageRecord& record) {
    std::string text;
    const auto line = [&](std::string_view title, const std::string& value) {
        text += fmt::format(" {:<15} {}\n", title, value);
    };
    line("Name", record.name);
    line("Version", record.version);
    line("Build", record.build);
    line("Size", std::to_string(record.size.value_or(0) / 1000) + " kB");
    line("License", record.license);
    line("Subdir", record.subdir);
    line("File Name", record.fn);
    line("URL", record.url);
    line("MD5", record.md5.empty() ? "Not available" : record.md5);
    line("SHA256", record.sha256.empty() ? "Not available" : record.sha256);
    if (!record.track_features.empty()) line("Track Features", record.track_features);
    if (!record.constrains.empty()) text += "\n Run Constraints:\n";
    for (const auto& constraint : record.constrains) text += "  - " + constraint + '\n';
    if (!record.depends.empty()) text += "\n Dependencies:\n";
    for (const auto& dependency : record.depends) text += "  - " + dependency + '\n';
    return text;
}

/// All but the first version; of many the first two and the last two.
std::string other_versions(const std::vector<Builds>& versions) {
    constexpr std::size_t shown = 5, shown_first = 2, shown_last = 2;
    const std::size_t count = versions.size() - 1;
    std::vector<Row> rows{{"Version", "Build", "", ""}};
    for (std::size_t i = 1; i <= count; ++i) {
        if (count > shown && i == shown_first + 1)
            rows.push_back({"...", fmt::format("({} hidden versions)", count - shown_first - shown_last), "", "..."});
        if (count > shown && i > shown_first && i + shown_last <= count) continue;
        Row row{versions[i].front()->version, versions[i].front()->build};
        add_count(row, versions[i]);
        rows.push_back(std::move(row));
    }
    return fmt::format("\n Other Versions ({}):\n\n", count) + columns(rows, 3, " ");
}

} // namespace

std::string package_columns(const std::vector<const PackageGraph::Node*>& nodes, bool depends) {
    std::vector<Row> rows{depends ? Row{"Name", "Version", "Build", "Depends", "Channel", "Subdir"}
                                  : Row{"Name", "Version", "Build", "Channel", "Subdir"}};
    for (const auto* node : nodes) {
        const auto& record = node->record;
        if (!node->found()) {
            rows.push_back({unmet_dependency(node->spec)});
            continue;
        }
        rows.push_back({record.name, record.version, record.build});
        if (depends) rows.back().push_back(node->spec);
        rows.back().insert(rows.back().end(), {record.channel_name, record.subdir});
    }
    return columns(rows, std::string::npos);
}

std::string version_columns(const std::vector<const PackageRecord*>& records) {
    std::vector<Row> rows{{"Name", "Version", "Build", "", "", "Channel", "Subdir"}};
    for (const auto& [name, versions] : by_version(records)) {
        for (const auto& builds : versions) {
            Row row{name, builds.front()->version, builds.front()->build};
            add_count(row, builds);
            row.insert(row.end(), {builds.front()->channel_name, builds.front()->subdir});
            rows.push_back(std::move(row));
        }
    }
    return columns(rows, 4);
}

std::string package_overviews(const std::vector<const PackageRecord*>& records) {
    constexpr std::size_t least_width = 40;
    std::string text;
    for (const auto& [name, versions] : by_version(records)) {
        const PackageRecord& best = *versions.front().front();
        std::string title = name + ' ' + best.version + ' ' + best.build;
        if (versions.front().size() > 1) title += fmt::format(" (+ {} builds)", versions.front().size() - 1);
        text += fmt::format("{:^{}}\n", title, least_width);
        for (std::size_t i = 0; i < std::max(title.size(), least_width); ++i) text += "─";
        text += "\n\n" + facts(best);
        if (versions.size() > 1) text += other_versions(versions);
        text += '\n';
    }
    return text;
}

} // namespace taipan::cli
