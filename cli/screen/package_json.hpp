#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>

#include "base/json_writer.hpp"
#include "flow/plan.hpp"
#include "model/channel.hpp"
#include "model/record.hpp"

namespace taipan::cli {

/// One package as `list --json` and the LINK and UNLINK lists have it (conda-spec 9.3).
/// With `size`, also the bytes that it takes.
void write_package(JsonWriter& json, const PackageRecord& record, const ChannelSettings& settings,
                   std::optional<std::uint64_t> size = std::nullopt);
/// One package with all that its channel says of it, as the FETCH list has it; keys sorted.
void write_full_record(JsonWriter& json, const PackageRecord& record, bool in_search = false);
/// conda's `channel.name` of a base URL: the last part of a file URL, else what follows the alias or the host.
[[nodiscard]] std::string short_channel_name(const PackageRecord& record, const ChannelSettings& settings);

/// The document of create, install, update and remove (conda-spec 12.3), with a final newline.
struct PlanDocument {
    const Plan* plan = nullptr; ///< nullptr: nothing was planned, only `message` tells
    std::string prefix;         ///< empty: not told
    std::string message;
    bool dry_run = false;
    bool as_mamba = false; ///< `dry_run` is told when it is false, too
    /// Files and bytes that `--slim` has left out, if it was given.
    std::optional<std::pair<std::uint64_t, std::uint64_t>> left_out = {};
};
[[nodiscard]] std::string plan_json(const PlanDocument& document, const ChannelSettings& settings);

} // namespace taipan::cli
