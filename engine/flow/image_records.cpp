#include "flow/image_records.hpp"

#include <set>

#include <tbb/parallel_for.h>

#include "flow/reproducible.hpp"
#include "link/installed_record.hpp"
#include "model/record_json.hpp"
#include "prefix/history.hpp"

namespace taipan {

namespace {

TarItem document(std::string path, std::string text, std::int64_t moment) {
    TarItem item;
    item.path = std::move(path);
    item.modified = moment;
    item.size = text.size();
    item.bytes = std::move(text);
    return item;
}

std::string history_text(const Plan& plan, const std::vector<ImagePackage>& packages, std::int64_t moment) {
    HistoryEntry entry;
    entry.local_time = utc_time(moment);
    entry.command_line = neutral_command(Action::create);
    entry.tool_version = TAIPAN_CONDA_VERSION;
    entry.update_specs = plan.update_specs;
    std::set<std::string> after;
    for (const ImagePackage& package : packages) after.insert(package.record.dist_string());
    return format_history_block(entry, {}, after);
}

} // namespace

std::string rfc3339_time(std::int64_t seconds) {
    std::string text = utc_time(seconds) + 'Z';
    text[text.find(' ')] = 'T';
    return text;
}

std::vector<TarItem> image_records(const Plan& plan, std::vector<ImagePackage>& packages,
                                   const std::vector<PlacedFiles>& placed, std::int64_t moment) {
    std::vector<TarItem> items(packages.size());
    std::string history = history_text(plan, packages, moment);
    tbb::parallel_for(std::size_t{0}, packages.size(), [&](std::size_t i) {
        ImagePackage& package = packages[i];
        const std::string path = "conda-meta/" + package.record.dist_name() + ".json";
        RecordOrigin origin;
        if (!package.requested_spec.empty()) origin.requested_specs = {package.requested_spec};
        const PrefixRecord record =
            installed_record(package.record, std::move(package.plan), placed[i], std::move(origin));
        items[i] = document(path, prefix_record_json(record), moment);
    });
    items.push_back(document("conda-meta/history", std::move(history), moment));
    items.push_back(document("conda-meta/created_at", std::to_string(moment) + ".000000", moment));
    return items;
}

} // namespace taipan
