#pragma once

#include <optional>
#include <string_view>

#include "base/result.hpp"
#include "config/config.hpp"
#include "model/match_spec.hpp"
#include "model/record.hpp"

namespace taipan {

/// The record of a package that is asked for by URL or path, as far as the URL tells (conda-spec 6.4, 9.2): name,
/// version, build, channel, subdir, file name, and the hash after `#`. Dependencies are known only when the archive
/// is there. nullopt when the spec is no URL or path.
Result<std::optional<PackageRecord>> record_of_url_spec(const MatchSpec& spec, const Config& config);

} // namespace taipan
