#pragma once

#include <string>
#include <vector>

#include "base/result.hpp"
#include "config/config.hpp"
#include "model/channel.hpp"
#include "model/match_spec.hpp"

namespace taipan {

/// The channels to search, in order of priority: the named ones, then those that only a spec (`channel::name`) names
/// (conda-spec 7.3). Duplicates are dropped, the first stays.
Result<std::vector<Channel>> channels_of_request(const std::vector<std::string>& names,
                                                 const std::vector<MatchSpec>& specs, const Config& config);

/// What to say when there is nothing to search.
[[nodiscard]] Error no_channels_error();

} // namespace taipan
