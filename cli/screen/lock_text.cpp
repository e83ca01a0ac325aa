#include "screen/lock_text.hpp"

#include <algorithm>
#include <string_view>

#include "model/dependency_name.hpp"
#include "screen/yaml_text.hpp"

namespace taipan::cli {

namespace {

constexpr std::string_view main_category = "main";

constexpr std::string_view heading =
    "# This lock file was made by `taipan lock`, in the format of conda-lock: exact packages, with hashes. Do not "
    "edit\n"
    "# it. Make an environment of it:\n"
    "#     taipan create -n NAME -f THIS-FILE\n"
    "# (conda-lock and micromamba take it as well). Lock anew after a change of the sources:\n"
    "#     taipan lock -f SOURCE -o THIS-FILE\n";

/// A version that can be joined to another one by a comma.
bool is_version_only(std::string_view constraint) { return constraint.find(' ') == std::string_view::npos; }

/// The format has one constraint for each name.
std::map<std::string, std::string> dependency_map(const PackageRecord& record) {
    std::map<std::string, std::string> map;
    for (const auto& text : record.depends) {
        const std::string name = dependency_name(text);
        if (name.empty()) continue;
        const std::size_t blank = text.find(' ');
        std::string constraint = blank == std::string::npos ? "" : text.substr(blank + 1);
        const auto known = map.find(name);
        if (known == map.end() || known->second.empty() || constraint.empty()) {
            if (known == map.end() || !constraint.empty()) map[name] = std::move(constraint);
        } else if (is_version_only(known->second) && is_version_only(constraint)) {
            known->second += ',' + constraint;
        } else if (is_version_only(known->second)) {
            known->second = std::move(constraint); // with a build, it is the stricter one
        }
    }
    return map;
}

void write_list(std::string& text, const std::string& key, const std::vector<std::string>& items) {
    text += "  " + key + (items.empty() ? ": []\n" : ":\n");
    for (const auto& item : items) text += "  - " + yaml_scalar(item) + '\n';
}

void write_package(std::string& text, const PackageRecord& record, const std::string& subdir,
                   const std::string& category) {
    text += "- name: " + yaml_scalar(record.name) + '\n';
    text += "  version: " + yaml_scalar(record.version) + '\n';
    text += "  manager: conda\n";
    text += "  platform: " + yaml_scalar(subdir) + '\n';
    const auto dependencies = dependency_map(record);
    text += dependencies.empty() ? "  dependencies: {}\n" : "  dependencies:\n";
    for (const auto& [name, constraint] : dependencies)
        text += "    " + yaml_scalar(name) + ": " + (constraint.empty() ? "''" : yaml_scalar(constraint)) + '\n';
    text += "  url: " + yaml_scalar(record.url) + '\n';
    text += "  hash:\n";
    if (!record.md5.empty()) text += "    md5: " + yaml_scalar(record.md5) + '\n';
    if (!record.sha256.empty()) text += "    sha256: " + yaml_scalar(record.sha256) + '\n';
    text += "  category: " + yaml_scalar(category) + '\n';
    text += std::string("  optional: ") + (category == main_category ? "false" : "true") + '\n';
}

} // namespace

std::string conda_lock_text(const LockDocument& document) {
    std::string text(heading);
    text += "version: 1\nmetadata:\n  content_hash:\n";
    for (const auto& platform : document.platforms)
        text += "    " + yaml_scalar(platform.subdir) + ": " + yaml_scalar(platform.content_hash) + '\n';
    text += document.channels.empty() ? "  channels: []\n" : "  channels:\n";
    for (const auto& channel : document.channels)
        text += "  - url: " + yaml_scalar(channel) + "\n    used_env_vars: []\n";
    std::vector<std::string> subdirs;
    for (const auto& platform : document.platforms) subdirs.push_back(platform.subdir);
    write_list(text, "platforms", subdirs);
    write_list(text, "sources", document.sources);
    struct Entry {
        const PackageRecord* record;
        const LockedPlatform* platform;
    };
    std::vector<Entry> entries;
    for (const auto& platform : document.platforms) {
        for (const auto& record : platform.packages) entries.push_back({&record, &platform});
    }
    std::stable_sort(entries.begin(), entries.end(), [](const Entry& a, const Entry& b) {
        return std::tie(a.record->name, a.platform->subdir) < std::tie(b.record->name, b.platform->subdir);
    });
    text += entries.empty() ? "package: []\n" : "package:\n";
    for (const auto& [record, platform] : entries) {
        for (const auto& category : platform->categories.at(record->name))
            write_package(text, *record, platform->subdir, category);
    }
    return text;
}

std::string explicit_lock_text(const LockedPlatform& platform, const std::set<std::string>& categories) {
    std::string text = "# Made by taipan lock.\n# platform: " + platform.subdir +
                       "\n# input_hash: " + platform.content_hash + "\n@EXPLICIT\n";
    for (const auto& record : platform.packages) {
        const auto& mine = platform.categories.at(record.name);
        const bool wanted =
            std::any_of(mine.begin(), mine.end(), [&](const std::string& name) { return categories.contains(name); });
        if (!wanted) continue;
        text += record.url;
        if (!record.md5.empty())
            text += '#' + record.md5;
        else if (!record.sha256.empty())
            text += "#sha256:" + record.sha256;
        text += '\n';
    }
    return text;
}

std::map<std::string, std::set<std::string>>
categories_of(const std::vector<PackageRecord>& packages,
              const std::map<std::string, std::set<std::string>>& requests) {
    std::map<std::string, const PackageRecord*> by_name;
    for (const auto& record : packages) by_name.emplace(record.name, &record);
    std::map<std::string, std::set<std::string>> categories;
    for (const auto& [root, wanted] : requests) {
        for (const auto& category : wanted) {
            std::vector<std::string> open{root};
            while (!open.empty()) {
                const std::string name = std::move(open.back());
                open.pop_back();
                const auto found = by_name.find(name);
                if (found == by_name.end() || !categories[name].insert(category).second) continue;
                for (const auto& text : found->second->depends) open.push_back(dependency_name(text));
            }
        }
    }
    for (const auto& record : packages) {
        auto& mine = categories[record.name];
        // What nothing asked for (a track_features package, say) belongs to everybody.
        if (mine.empty() || mine.contains(std::string(main_category))) mine = {std::string(main_category)};
    }
    return categories;
}

} // namespace taipan::cli
