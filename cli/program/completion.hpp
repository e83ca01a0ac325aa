#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "program/command.hpp"

namespace taipan::cli {

/// What can stand where the cursor is.
struct Completion {
    struct Candidate {
        std::string text;        ///< the whole word
        std::string description; ///< one line; may be empty
    };
    std::vector<Candidate> candidates;   ///< in the order to show
    bool files = false, folders = false; ///< paths, which the shell completes itself
};

/// Completes the last of `words` (what follows the program; the last one may be empty). Everything comes from the
/// tables of commands and options: no other list of them exists.
[[nodiscard]] Completion complete(const Invocation& invocation, const std::vector<std::string>& words);

/// `completer [--described] [--breaks CHARACTERS] (--line TEXT | [--] WORD...)`: what the shells' completion functions
/// ask. One candidate a line, after `:files` or `:folders` where paths can stand. With `--line` the words are split as
/// a shell does, and what bash takes for a separate word (`--breaks`) is left out of the candidates. Never fails.
int run_completer(Invocation& invocation, std::vector<std::string> words);

} // namespace taipan::cli
