#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/fault_point.hpp"
#include "base/filesystem.hpp"
#include "base/result.hpp"

namespace taipan {

/// Where a transaction keeps its journal and what it has set aside, relative to the prefix.
inline constexpr const char* trash_directory = "conda-meta/.taipan-trash";
inline constexpr const char* prefix_lock_path = "conda-meta/.taipan.lock"; ///< held by whoever changes the prefix
inline constexpr const char* journal_path = "conda-meta/.taipan-trash/journal";

/// The lock of whoever makes or removes a prefix whose parent directory cannot be written; no part of the prefix.
inline constexpr const char* inner_claim_lock = ".taipan-lock";

/// One change of a prefix, written down before it is made.
struct JournalStep {
    enum class Kind : char {
        file = 'F',             ///< a file that is created
        directory = 'D',        ///< a directory that is created
        aside = 'A',            ///< moved to `<trash>/<number>`
        aside_here = 'B',       ///< moved to `<path>.c~`, where the trash is on another device
        appended = 'T',         ///< a file of `number` bytes that is written on to
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

/// Steps as bytes: kind, number and a colon for `aside` and `appended`, path, NUL.
[[nodiscard]] std::string serialise_steps(const std::vector<JournalStep>& steps);
/// The reverse. A last step without its NUL was never acted upon and is dropped, like all that is unreadable or
/// leaves the prefix.
[[nodiscard]] std::vector<JournalStep> parse_steps(std::string_view bytes);

/// The prefix that steps are about. The handles and the fault point are borrowed.
struct JournalPlace {
    int prefix_fd = -1;
    const std::string& prefix;
    const FaultPoint& fault_point;
};

/// Undoes the steps: removes what was created, cuts what was appended, notes that in the journal, moves back what was
/// set aside. Goes on after errors and returns the first. May be interrupted anywhere and repeated with the journal's
/// steps.
Result<void> undo_steps(const std::vector<JournalStep>& steps, const JournalPlace& place, int journal_fd);
/// Removes what was set aside, then the directories of the sweep steps and their parents as far as they are empty.
Result<void> finish_steps(const std::vector<JournalStep>& steps, const JournalPlace& place);
/// Removes journal and trash directory, and half-written records.
Result<void> remove_journal(const JournalPlace& place);
/// Removes everything in the prefix (but a claim's lock), and the prefix itself unless `keep_directory`. conda-meta
/// goes last.
Result<void> remove_new_prefix(const std::string& prefix, bool keep_directory);
/// Removes `conda-meta` if a run that was killed before its first step has made it, and nothing else is in the prefix.
/// False: it is something else, and was left alone.
Result<bool> remove_unbegun_prefix(const std::string& prefix);

} // namespace taipan
