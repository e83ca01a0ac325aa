#include "screen/plan_view.hpp"

#include <algorithm>
#include <array>
#include <map>

#include <fmt/format.h>

#include "model/version.hpp"
#include "screen/text.hpp"

namespace taipan::cli {

namespace {

ChangeKind kind_of(const PackageRecord& before, const PackageRecord& after) {
    if (before.dist_name() == after.dist_name() && before.channel_name == after.channel_name) {
        return ChangeKind::reinstalled;
    }
    const auto old_version = Version::parse(before.version);
    const auto new_version = Version::parse(after.version);
    const auto order = old_version && new_version ? *new_version <=> *old_version : std::weak_ordering::equivalent;
    const bool newer = order > 0 || (order == 0 && after.build_number > before.build_number);
    if (newer) return ChangeKind::updated;
    if (before.channel_name != after.channel_name) return ChangeKind::superseded;
    return order < 0 ? ChangeKind::downgraded : ChangeKind::revised;
}

std::string size_cell(const PlannedPackage& package) {
    if (package.cached == CacheState::missing) return package.record.size ? human_bytes(*package.record.size) : "?";
    return "cached";
}

std::string channel_cell(const PackageRecord& record) {
    return record.channel_name.empty() ? record.channel : record.channel_name;
}

std::string added_table(const PlanSections& sections, std::size_t width) {
    if (sections.added.empty()) return {};
    TextTable table({Align::left, Align::left, Align::left, Align::left, Align::right});
    table.add({"package", "version", "build", "channel", "size"});
    table.rule();
    for (const auto* package : sections.added) {
        const auto& record = package->record;
        table.add({record.name, record.version, record.build, channel_cell(record), size_cell(*package)});
    }
    return "The following NEW packages will be INSTALLED:\n\n" + table.text(2, width) + "\n";
}

std::string removed_table(const PlanSections& sections, std::size_t width) {
    if (sections.removed.empty()) return {};
    TextTable table({Align::left, Align::left, Align::left, Align::left});
    table.add({"package", "version", "build", "channel"});
    table.rule();
    for (const auto* record : sections.removed) {
        table.add({record->name, record->version, record->build, channel_cell(*record)});
    }
    return "The following packages will be REMOVED:\n\n" + table.text(2, width) + "\n";
}

struct ChangeHeading {
    ChangeKind kind;
    std::string_view text;
};
constexpr std::array<ChangeHeading, 5> change_headings = {{
    {ChangeKind::updated, "The following packages will be UPDATED:"},
    {ChangeKind::superseded, "The following packages will be SUPERSEDED by a higher-priority channel:"},
    {ChangeKind::downgraded, "The following packages will be DOWNGRADED:"},
    {ChangeKind::revised, "The following packages will be REVISED:"},
    {ChangeKind::reinstalled, "The following packages will be REINSTALLED:"},
}};

std::string changed_table(const PlanSections& sections, const ChangeHeading& heading, std::size_t width) {
    TextTable table({Align::left, Align::left, Align::left, Align::left, Align::left, Align::right});
    table.add({"package", "from", "", "to", "channel", "size"});
    table.rule();
    bool any = false;
    for (const auto& change : sections.changed) {
        if (change.kind != heading.kind) continue;
        any = true;
        const auto& before = *change.before;
        const auto& after = change.after->record;
        auto channel = channel_cell(after);
        if (channel != channel_cell(before)) channel = channel_cell(before) + " -> " + channel;
        table.add({after.name, before.version + '-' + before.build, "-->", after.version + '-' + after.build,
                   std::move(channel), size_cell(*change.after)});
    }
    return any ? std::string(heading.text) + "\n\n" + table.text(2, width) + "\n" : std::string();
}

std::string totals(const Plan& plan, const PlanSections& sections) {
    std::vector<std::string> parts;
    const auto count = [&](std::size_t number, std::string_view what) {
        if (number > 0) parts.push_back(fmt::format("{} {}", number, what));
    };
    count(sections.added.size(), "to install");
    for (const auto& [kind, word] :
         {std::pair(ChangeKind::updated, "to update"), std::pair(ChangeKind::superseded, "to supersede"),
          std::pair(ChangeKind::downgraded, "to downgrade"), std::pair(ChangeKind::revised, "to revise"),
          std::pair(ChangeKind::reinstalled, "to reinstall")}) {
        count(
            static_cast<std::size_t>(std::count_if(sections.changed.begin(), sections.changed.end(),
                                                   [k = kind](const PlanChange& change) { return change.kind == k; })),
            word);
    }
    count(sections.removed.size(), "to remove");
    const auto relinked = std::count_if(plan.link.begin(), plan.link.end(),
                                        [](const PlannedPackage& package) { return package.relink_only; });
    count(static_cast<std::size_t>(relinked), "to link anew for the other Python");
    std::string text = "  Total: ";
    for (std::size_t i = 0; i < parts.size(); ++i) text += (i == 0 ? "" : ", ") + parts[i];
    const auto missing = std::count_if(plan.link.begin(), plan.link.end(), [](const PlannedPackage& package) {
        return package.cached == CacheState::missing;
    });
    text += "\n  Download: ";
    if (missing == 0)
        text += "nothing, all packages are in the cache";
    else
        text += fmt::format("{} ({})", human_bytes(plan.download_bytes()),
                            counted(static_cast<std::uint64_t>(missing), "package"));
    return plan.link.empty() ? text.substr(0, text.find("\n  Download")) + "\n" : text + "\n";
}

std::string spec_list(std::string_view heading, std::vector<std::string> specs) {
    if (specs.empty()) return {};
    std::sort(specs.begin(), specs.end());
    std::string text = fmt::format("  {}:\n", heading);
    for (const auto& spec : specs) text += "    - " + spec + '\n';
    return text + "\n";
}

} // namespace

PlanSections sort_plan(const Plan& plan) {
    PlanSections sections;
    std::map<std::string_view, const PackageRecord*> unlinked;
    for (const auto& record : plan.unlink) unlinked.emplace(record.name, &record);
    for (const auto& package : plan.link) {
        const auto before = unlinked.find(package.record.name);
        if (before == unlinked.end()) {
            sections.added.push_back(&package);
            continue;
        }
        if (!package.relink_only) {
            sections.changed.push_back({before->second, &package, kind_of(*before->second, package.record)});
        }
        unlinked.erase(before);
    }
    for (const auto& [name, record] : unlinked) sections.removed.push_back(record);
    std::sort(sections.added.begin(), sections.added.end(),
              [](const PlannedPackage* a, const PlannedPackage* b) { return a->record.name < b->record.name; });
    std::sort(sections.changed.begin(), sections.changed.end(),
              [](const PlanChange& a, const PlanChange& b) { return a.after->record.name < b.after->record.name; });
    return sections;
}

std::string plan_text(const Plan& plan, std::size_t width) {
    const auto sections = sort_plan(plan);
    std::string text = "\n## Package Plan ##\n\n  environment location: " + plan.prefix + "\n\n";
    text += spec_list("removed specs", plan.remove_specs);
    text += spec_list("added / updated specs", plan.update_specs);
    text += added_table(sections, width);
    text += removed_table(sections, width);
    for (const auto& heading : change_headings) text += changed_table(sections, heading, width);
    return text + totals(plan, sections) + "\n";
}

} // namespace taipan::cli
