#pragma once

#include <string>
#include <string_view>

#include "base/json_writer.hpp"
#include "base/result.hpp"
#include "model/channel.hpp"
#include "model/record.hpp"

namespace taipan {

/// The text of a cache's `info/repodata_record.json` (conda-spec 2.5): indent 2, conda's key order, no newline.
[[nodiscard]] std::string repodata_record_json(const PackageRecord& record);

/// The text of `conda-meta/<dist name>.json` (conda-spec 4.2).
[[nodiscard]] std::string prefix_record_json(const PrefixRecord& record);
/// The same, into a writer: the record of a large package is tens of megabytes.
void write_prefix_record_json(JsonWriter& json, const PrefixRecord& record);

/// Parses `info/index.json` or `info/repodata_record.json`, also in mamba's and older forms. Fields that the text
/// lacks stay empty; name, version and build must be there. `settings` turns the channel into its canonical name.
Result<PackageRecord> parse_package_record(std::string_view json, const ChannelSettings& settings = {});

/// How much of a conda-meta record is wanted.
enum class RecordDetail {
    identity, ///< without `files` and `paths`
    full,
};

/// Parses a conda-meta record, also in mamba's and older forms.
Result<PrefixRecord> parse_prefix_record(std::string_view json, const ChannelSettings& settings = {},
                                         RecordDetail detail = RecordDetail::full);

/// `base` (a repodata record) with the fields that it lacks taken from `index` (the package's own index.json).
[[nodiscard]] PackageRecord merge_records(PackageRecord base, const PackageRecord& index);

} // namespace taipan
