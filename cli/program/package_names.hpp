#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "config/config.hpp"

namespace taipan::cli {

/// The names of packages in the cached indexes of the configured channels that begin with `beginning`, sorted and
/// unique. Never asks a server, and quick: names are looked up in the mapped index files. An index that only another
/// tool has put into the cache is read when it is not too large.
[[nodiscard]] std::vector<std::string> index_names(const Config& config, std::string_view beginning);

} // namespace taipan::cli
