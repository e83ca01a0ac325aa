#pragma once

#include <optional>
#include <string_view>

#include <simdjson.h>

#include "model/record.hpp"

namespace taipan::repodata {

/// Reads one record of repodata (conda-spec 7.4) with the lenience real channels need: build numbers as text,
/// track_features as text or list, `noarch: true`, timestamps in seconds, nulls. `json` must be readable for
/// SIMDJSON_PADDING bytes beyond its end. fn, url, channel and channel_name are left for the caller.
/// nullopt: broken (no name, version or build; wrong types) or of a schema that is unknown to us.
std::optional<PackageRecord> parse_record(simdjson::ondemand::parser& parser, std::string_view json);

} // namespace taipan::repodata
