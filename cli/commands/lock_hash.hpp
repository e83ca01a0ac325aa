#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "model/channel.hpp"

namespace taipan::cli {

/// What a lock file's `content_hash` of one platform is made of.
struct HashedRequest {
    std::string subdir;
    std::vector<std::string> channels;                       ///< as written, without credentials
    std::vector<std::string> specs;                          ///< match specs
    std::map<std::string, std::set<std::string>> categories; ///< by package name
    std::map<std::string, std::string> machine;              ///< virtual packages; empty: not there
};

/// The hash that conda-lock computes of the same request, so that its `--check-input-hash` and our `--check` understand
/// each other's files. Fails for a spec that cannot be parsed.
Result<std::string> content_hash(const HashedRequest& request, const ChannelSettings& settings);

} // namespace taipan::cli
