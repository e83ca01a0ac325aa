#include "flow/run_history.hpp"

#include <algorithm>
#include <ctime>
#include <string>

#include "flow/reproducible.hpp"
#include "prefix/history.hpp"
#include "prefix/prefix_data.hpp"

namespace taipan {

namespace {

std::string local_time() {
    const std::time_t now = std::time(nullptr);
    std::tm parts{};
    ::localtime_r(&now, &parts);
    char text[32];
    const std::size_t length = std::strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S", &parts);
    return {text, length};
}

} // namespace

Result<void> record_in_history(const Plan& plan, const Config& config) {
    const ChannelSettings& settings = config.channel_settings;
    HistoryEntry entry;
    if (config.reproducible) {
        TAIPAN_TRY(const PrefixData data, load_prefix(plan.prefix, RecordDetail::identity, settings));
        entry.local_time = utc_time(moment_of(config, data.packages()));
        entry.command_line = neutral_command(plan.action);
    } else {
        entry.local_time = local_time();
        entry.command_line = without_credentials_in_text(plan.command_line);
    }
    entry.tool_version = TAIPAN_CONDA_VERSION;
    entry.remove_specs = plan.remove_specs;
    entry.update_specs = plan.update_specs;
    entry.neutered_specs = plan.neutered_specs;
    const bool by_url =
        std::any_of(plan.link.begin(), plan.link.end(), [](const PlannedPackage& package) { return package.from_url; });
    if (!by_url) return append_history(plan.prefix, entry, plan.final_state);
    // Only the records know where packages belong that were no more than a file.
    TAIPAN_TRY(const PrefixData data, load_prefix(plan.prefix, RecordDetail::identity, settings));
    return append_history(plan.prefix, entry, data.packages());
}

} // namespace taipan
