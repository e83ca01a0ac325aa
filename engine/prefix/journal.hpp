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
        file = 'F',             ///< a file that is created
        directory = 'D',        ///< a directory that is created
        aside = 'A',            ///< moved to `<trash>/<number>`
        aside_here = 'B',       ///< moved to `<path>.c~`, where the trash is on another device
        sweep = 'E',            ///< a directory to remove at the end if it is empty
        new_prefix = 'N',       ///< everything in the prefix is ours, and the prefix directory too
        new_in_directory = 'n', ///< the same, but the (empty) directory was there before
        undoing = 'U',          ///< all that was created is gone, only moving back is left to do
        committed = 'C',        ///< the point of no return was passed
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

/// Undoes the steps: removes what was created, notes that in the journal, moves back what was set aside. Goes on after
/// errors and returns the first. May be interrupted anywhere and repeated with the journal's steps.
Result<void> undo_steps(const std::vector<JournalStep>& steps, int prefix_fd, const std::string& prefix,
                        int journal_fd);
/// Removes what was set aside, then the directories of the sweep steps and their parents as far as they are empty.
Result<void> finish_steps(const std::vector<JournalStep>& steps, int prefix_fd, const std::string& prefix);
/// Removes journal and trash directory.
Result<void> remove_journal(int prefix_fd, const std::string& prefix);
/// Removes everything in the prefix, and the prefix itself unless `keep_directory`.
Result<void> remove_new_prefix(const std::string& prefix, bool keep_directory);

} // namespace taipan
