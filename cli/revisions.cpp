#include "revisions.hpp"

#include <map>

#include "model/record.hpp"

namespace taipan::cli {

namespace {

/// `conda-forge/linux-64::foo-1.0-py_0` taken apart.
struct Dist {
    std::string channel, name, version;
};

Dist parse_dist(const std::string& text) {
    const auto mark = text.find("::");
    const std::string stem = mark == std::string::npos ? text : text.substr(mark + 2);
    Dist dist{mark == std::string::npos ? "" : text.substr(0, mark), stem, ""};
    if (const auto parts = split_dist_name(stem)) {
        dist.name = parts->name;
        dist.version = parts->version;
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

} // namespace taipan::cli
