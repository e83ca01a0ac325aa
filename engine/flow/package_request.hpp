#pragma once

#include <vector>

#include "cache/package_cache.hpp"
#include "fetch/transfer.hpp"
#include "flow/session.hpp"
#include "model/channel.hpp"
#include "model/record.hpp"

namespace taipan {

/// What to ask the network for to get a package's archive: from the mirrors of its channel, with credentials, into the
/// cache or past it. Progress goes to the session's sink, which has to live as long.
[[nodiscard]] TransferRequest package_request(const Session& session, const PackageCache& cache,
                                              const std::vector<Channel>& channels, const PackageRecord& record);

} // namespace taipan
