#pragma once

#include <string>
#include <vector>

#include "program/option.hpp"

namespace taipan::cli {

/// Writes out long options of which only the beginning was typed, as conda's argparse does (`--rev 1` is in its
/// manual). Stops at `--`, and with `ends_at_first_word` at the first word that is no option of ours. Returns what is
/// wrong when several options begin like that; empty when all is well. A word that no option begins with stays as it
/// is.
[[nodiscard]] std::string expand_abbreviations(const Options& options, std::vector<std::string>& words,
                                               bool ends_at_first_word);

} // namespace taipan::cli
