#pragma once

#include <deque>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "program/option.hpp"
#include "program/role.hpp"

namespace taipan::cli {

/// Flags of conda and mamba that mean nothing here, for one command: some are accepted with a note, the others refused
/// with the reason. Lives as long as the options are parsed.
class CompatibilityOptions {
public:
    /// For the command of that path, beside its own options, which go before these.
    CompatibilityOptions(std::string_view path, const Options& own, Role role);
    CompatibilityOptions(const CompatibilityOptions&) = delete;
    CompatibilityOptions& operator=(const CompatibilityOptions&) = delete;

    [[nodiscard]] Options options();
    /// Why the first refused flag that was given is refused; empty when none was.
    [[nodiscard]] std::string refusal() const;
    /// One line for each accepted flag that was given.
    [[nodiscard]] std::string notes() const;

private:
    struct Given {
        std::string names;
        std::string_view value, why;
        bool refused = false;
        bool flag = false;               ///< was given
        std::vector<std::string> values; ///< when it takes any

        [[nodiscard]] bool given() const { return flag || !values.empty(); }
    };
    std::deque<Given> rows_; ///< options point into it
};

/// A command of conda or mamba that is refused, and why; empty for other words.
[[nodiscard]] std::string_view refused_command(const std::vector<std::string>& words);

/// The words with what conda spells differently than mamba put into the spelling that is parsed here, when we are
/// called as conda.
[[nodiscard]] std::vector<std::string> words_of_role(Role role, std::string_view path, std::vector<std::string> words);

/// Takes apart words in which options stand before the command, as `micromamba -r DIR create`, or inside it, as
/// `conda env -q list`: returns these options, and puts the command and what follows into `rest`.
using IsCommand = std::function<bool(const std::vector<std::string>& words)>;
[[nodiscard]] std::vector<std::string> options_before_command(const std::vector<std::string>& words,
                                                              const IsCommand& is_command,
                                                              std::vector<std::string>& rest);

} // namespace taipan::cli
