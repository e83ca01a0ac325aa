#pragma once

#include <string>
#include <vector>

#include "model/channel.hpp"
#include "model/record.hpp"
#include "prefix/history.hpp"
#include "screen/explicit_list.hpp"

namespace taipan::cli {

/// What mamba's `list` shows of each package.
enum class MambaList { table, urls, canonical, specs };

/// `list` in the form of mamba, which differs from conda's: one heading for all forms, no comments.
[[nodiscard]] std::string mamba_list(const std::vector<PackageRecord>& records, const std::string& prefix,
                                     MambaList form, ListHash hash, const ChannelSettings& settings);
/// The same as JSON; more members than conda's, and the channel by its URL where it has no name.
[[nodiscard]] std::string mamba_list_json(const std::vector<PackageRecord>& records, const ChannelSettings& settings);
/// `list --revisions` in the form of mamba: a changed package is one that went and one that came.
[[nodiscard]] std::string mamba_revisions(const std::vector<HistoryBlock>& blocks, const std::string& prefix,
                                          bool as_json);

} // namespace taipan::cli
