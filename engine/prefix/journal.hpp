#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/filesystem.hpp"
#include "base/result.hpp"

namespace taipan {

/// Where a transaction keeps its journal and what it has set aside, relative to the prefix.
inline constexpr const char* trash_directory = "conda-meta/.taipan-trash";
inline constexpr const char* journal_path = "conda-meta/.taipan-trash/journal";

/// One change of a prefix, written down before it is made.
struct JournalStep {
    enum class Kind : char {
        file = 'F',            ///< a file that is created
        directory = 'D',       ///< a directory that is created
        aside = 'A',           ///< moved to `<trash>/<number>`
        aside_here = 'B',      ///< moved to `<path>.c~`, where the trash is on another device
        sweep = 'E',           ///< a directory to remove at the end if it is empty
        new_prefix = 'N',      ///< everything in the prefix is ours, and the prefix directory too
        new_in_directory = 'n', ///< the same, but the (empty) directory was there before
        committed = 'C',       ///< the point of no return was passed
    };
    Kind kind = Kind::file;
    std::uint64_t number = 0;
    std::string path; ///< relative to the prefix
};

/// Steps as bytes: kind, number for `aside`, path, NUL.
[[nodiscard]] std::string serialise_steps(const std::vector<JournalStep>& steps);
/// The reverse. A last step without its NUL was never acted upon and is dropped, like all that is unreadable or
/// leaves the prefix.
[[nodiscard]] std::vector<JournalStep> parse_steps(std::string_view bytes);

/// Undoes the steps, last one first; goes on after errors and returns the first. What is done twice does no harm.
Result<void> undo_steps(const std::vector<JournalStep>& steps, int prefix_fd, const std::string& prefix);
/// Removes what was set aside, then the directories of the sweep steps and their parents as far as they are empty.
Result<void> finish_steps(const std::vector<JournalStep>& steps, int prefix_fd, const std::string& prefix);
/// Removes journal and trash directory.
Result<void> remove_journal(int prefix_fd, const std::string& prefix);
/// Removes everything in the prefix, and the prefix itself unless `keep_directory`.
Result<void> remove_new_prefix(const std::string& prefix, bool keep_directory);

} // namespace taipan
