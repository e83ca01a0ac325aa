#pragma once

#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "model/channel.hpp"
#include "model/match_spec.hpp"
#include "model/record.hpp"

namespace taipan {

/// One block of `conda-meta/history` (conda-spec 4.3).
struct HistoryBlock {
    std::string date;                        ///< local time, `2026-11-22 19:57:35`
    std::string command;                     ///< argv joined with blanks; empty when the block has no `# cmd:` line
    std::string tool_version;                ///< text after `# conda version:`
    std::vector<std::string> removed, added; ///< dist strings of the `-` and `+` lines
    std::vector<std::string> update_specs, remove_specs, neutered_specs;
};

/// Parses the file's text. Lines that make no sense are skipped: the file is shared with other tools.
[[nodiscard]] std::vector<HistoryBlock> parse_history(std::string_view text);

/// The dist strings that are installed after the first `count` blocks (all by default).
[[nodiscard]] std::set<std::string> history_state(const std::vector<HistoryBlock>& blocks,
                                                  std::size_t count = static_cast<std::size_t>(-1));

/// What the user asked for and has not removed since, by name; only names in `installed`. Specs that cannot be
/// parsed any more are left out.
[[nodiscard]] std::map<std::string, MatchSpec> requested_specs(const std::vector<HistoryBlock>& blocks,
                                                               const std::set<std::string>& installed,
                                                               const ChannelSettings& settings = {});

/// A Python list literal of strings, as the spec lines have it.
[[nodiscard]] std::string python_list(const std::vector<std::string>& items);
/// The reverse; also the old comma-separated form.
[[nodiscard]] std::vector<std::string> parse_spec_list(std::string_view text);

/// What a run adds to the history, apart from the package lines.
struct HistoryEntry {
    std::string local_time;                                              ///< `%Y-%m-%d %H:%M:%S`
    std::string command_line;                                            ///< argv joined with blanks
    std::string tool_version;                                            ///< `X.Y.Z`
    std::vector<std::string> remove_specs, update_specs, neutered_specs; ///< canonical
};

/// The block's text. `before` is the state that the file implies, `after` what is installed now: their difference
/// makes the package lines, which also repairs what an earlier tool forgot. Empty when nothing changed.
[[nodiscard]] std::string format_history_block(const HistoryEntry& entry, const std::set<std::string>& before,
                                               const std::set<std::string>& after);

/// Reads `<prefix>/conda-meta/history`; a missing file is an empty history.
Result<std::vector<HistoryBlock>> load_history(const std::string& prefix);
/// Appends the block for what is installed now. Nothing is written when nothing changed.
Result<void> append_history(const std::string& prefix, const HistoryEntry& entry,
                            const std::vector<PackageRecord>& installed);

} // namespace taipan
