#pragma once

#include <string>
#include <vector>

#include "base/result.hpp"
#include "config/config.hpp"
#include "fetch/exchange.hpp"
#include "model/channel.hpp"
#include "model/match_spec.hpp"

namespace taipan {

/// The channels to search, in order of priority: the named ones, then those that only a spec (`channel::name`) names
/// (conda-spec 7.3). Duplicates are dropped, the first stays.
Result<std::vector<Channel>> channels_of_request(const std::vector<std::string>& names,
                                                 const std::vector<MatchSpec>& specs, const Config& config);

/// Where a URL of a channel can be had: on the channel's mirrors, in their order, or else at that URL. With
/// credentials.
[[nodiscard]] std::vector<TransferSource> sources_of(const Channel& channel, std::string_view url,
                                                     const Config& config);

/// The same for a package of one of these channels, or of none: its server may have a login all the same.
[[nodiscard]] std::vector<TransferSource> sources_of_package(const std::vector<Channel>& channels,
                                                             const std::string& url, const Config& config);

/// What to say when there is nothing to search.
[[nodiscard]] Error no_channels_error();

} // namespace taipan
