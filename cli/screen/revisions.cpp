#include "screen/revisions.hpp"

#include <map>

#include "base/json_writer.hpp"
#include "model/record.hpp"
#include "model/version.hpp"

namespace taipan::cli {

namespace {

/// `conda-forge/linux-64::foo-1.0-py_0` taken apart.
struct Dist {
    std::string channel, name, version, build;

    /// `name-version-build-channel`, the form of conda's JSON.
    [[nodiscard]] std::string joined() const { return name + '-' + version + '-' + build + '-' + channel; }
};

Dist parse_dist(const std::string& text) {
    const auto mark = text.find("::");
    const std::string stem = mark == std::string::npos ? text : text.substr(mark + 2);
    Dist dist{mark == std::string::npos ? "" : text.substr(0, mark), stem, "", ""};
    if (const auto parts = split_dist_name(stem)) {
        dist.name = parts->name;
        dist.version = parts->version;
        dist.build = parts->build;
    }
    return dist;
}

std::string in_brackets(const Dist& dist) { return dist.channel.empty() ? "" : " (" + dist.channel + ")"; }

} // namespace

std::string revisions_text(const std::vector<HistoryBlock>& blocks) {
    std::string text;
    int number = 0;
    for (const auto& block : blocks) {
        text += block.date + "  (rev " + std::to_string(number++) + ")\n";
        std::map<std::string, Dist> removed, added;
        for (const auto& dist : block.removed) removed.emplace(parse_dist(dist).name, parse_dist(dist));
        for (const auto& dist : block.added) added.emplace(parse_dist(dist).name, parse_dist(dist));
        for (const auto& [name, before] : removed) {
            const auto after = added.find(name);
            if (after == added.end()) continue;
            text += "     " + name + "  {" + before.version + in_brackets(before) + " -> " + after->second.version +
                    in_brackets(after->second) + "}\n";
        }
        for (const auto& [name, dist] : removed) {
            if (!added.contains(name)) text += "    -" + name + '-' + dist.version + in_brackets(dist) + '\n';
        }
        for (const auto& [name, dist] : added) {
            if (!removed.contains(name)) text += "    +" + name + '-' + dist.version + in_brackets(dist) + '\n';
        }
        text += '\n';
    }
    return text;
}

namespace {

bool is_newer(const std::string& version, const std::string& than) {
    const auto a = Version::parse(version), b = Version::parse(than);
    return a && b ? *b < *a : than < version;
}

} // namespace

std::string revisions_json(const std::vector<HistoryBlock>& blocks) {
    JsonWriter json;
    json.begin_array();
    int number = 0;
    for (const auto& block : blocks) {
        std::map<std::string, Dist> removed, added;
        for (const auto& dist : block.removed) removed.emplace(parse_dist(dist).name, parse_dist(dist));
        for (const auto& dist : block.added) added.emplace(parse_dist(dist).name, parse_dist(dist));
        std::vector<std::string> installs, removals;
        std::vector<std::pair<std::string, std::string>> upgrades, downgrades;
        for (const auto& [name, dist] : added) {
            const auto before = removed.find(name);
            if (before == removed.end()) {
                installs.push_back(dist.joined());
            } else {
                auto& changes = is_newer(before->second.version, dist.version) ? downgrades : upgrades;
                changes.emplace_back(before->second.joined(), dist.joined());
            }
        }
        for (const auto& [name, dist] : removed) {
            if (!added.contains(name)) removals.push_back(dist.joined());
        }
        const auto write = [&](std::string_view key, const auto& changes) {
            json.key(key).begin_array();
            for (const auto& [before, after] : changes) {
                json.begin_object().member("new", after).member("old", before).end_object();
            }
            json.end_array();
        };
        json.begin_object().member("date", block.date);
        write("downgrade", downgrades);
        json.member("install", installs).member("remove", removals).member("rev", number++);
        write("upgrade", upgrades);
        json.end_object();
    }
    return json.end_array().take() + "\n";
}

} // namespace taipan::cli
