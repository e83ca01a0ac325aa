#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace taipan::cli {

/// The variable an option fills. bool: a flag; int: a flag that counts; string and optional: one value, the last one
/// wins; vector: one value each time it is given, or two for pairs; optional<bool>: a flag that tells "not given"
/// apart.
using OptionTarget = std::variant<bool*, int*, std::string*, std::optional<std::string>*, std::vector<std::string>*,
                                  std::vector<std::pair<std::string, std::string>>*, std::optional<bool>*>;

/// One option or positional argument as plain data: the parser, the help text and (later) completion read it.
struct Option {
    std::string names;   ///< "-n,--name"; a name without dashes is positional
    OptionTarget target; ///< must outlive parsing
    std::string value;   ///< placeholder in the help text; empty for flags
    std::string help;    ///< empty: accepted, but not shown
    std::string group = "Options";
    bool flag_value = true; ///< what a bool flag sets; false for `--no-...`
    std::string implied_value =
        {}; ///< of a string that may be given by `=` only, when it is left out: `--timings[=FILE]`

    [[nodiscard]] bool positional() const { return !names.starts_with('-'); }
    [[nodiscard]] bool takes_value() const {
        return implied_value.empty() && !std::holds_alternative<bool*>(target) &&
               !std::holds_alternative<int*>(target) && !std::holds_alternative<std::optional<bool>*>(target);
    }
};

using Options = std::vector<Option>;

/// Appends one list to another: `options` are put together from groups that commands share.
inline void append(Options& to, Options from) {
    for (auto& option : from) to.push_back(std::move(option));
}

} // namespace taipan::cli
