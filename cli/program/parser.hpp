#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "program/option.hpp"

namespace taipan::cli {

struct ParseOutcome {
    bool help = false; ///< -h or --help was given
    std::string error; ///< empty when all is well
};

/// Fills the options' targets from the words after the command (CLI11). With `ends_at_first_word` everything from the
/// first word that is no option of ours goes, unparsed, to the positional option.
[[nodiscard]] ParseOutcome parse_options(const Options& options, std::vector<std::string> words,
                                         bool ends_at_first_word = false);

/// The candidate that `word` most likely was meant to be; empty when none is near.
[[nodiscard]] std::string_view nearest_word(std::string_view word, const std::vector<std::string_view>& candidates);

} // namespace taipan::cli
