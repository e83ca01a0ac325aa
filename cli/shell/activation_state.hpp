#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace taipan::cli {

/// What the variables of a process say about active environments. Refers to the map it was made from.
class ShellState {
public:
    explicit ShellState(const std::map<std::string, std::string>& environment) : environment_(environment) {}
    [[nodiscard]] std::optional<std::string> find(const std::string& name) const;
    /// The value; empty when not set.
    [[nodiscard]] std::string value(const std::string& name) const { return find(name).value_or(""); }
    [[nodiscard]] int level() const; ///< CONDA_SHLVL; 0 when it is missing, negative or no number
    [[nodiscard]] std::string prefix() const { return value("CONDA_PREFIX"); }
    [[nodiscard]] bool active() const { return level() > 0 && !prefix().empty(); }
    /// The prefix of a level at or below the active one; empty when unknown.
    [[nodiscard]] std::string prefix_of(int level) const;
    /// Entered with --stack. conda "unsets" by an empty value, which therefore counts as not set.
    [[nodiscard]] bool stacked(int level) const;
    /// The entries of PATH as they are, empty ones and duplicates too.
    [[nodiscard]] std::vector<std::string> path() const;

private:
    const std::map<std::string, std::string>& environment_;
};

[[nodiscard]] std::string joined_path(const std::vector<std::string>& entries);
/// `<prefix>/bin` in front. With `root` (on the way into the first environment), its `condabin` comes next unless
/// there is one already.
[[nodiscard]] std::vector<std::string> added_to_path(std::vector<std::string> entries, const std::string& prefix,
                                                     const std::string& root);
/// `<prefix>/bin` where the first `<old prefix>/bin` was, or in front when that is gone; an empty prefix only removes.
[[nodiscard]] std::vector<std::string> replaced_in_path(std::vector<std::string> entries, const std::string& old_prefix,
                                                        const std::string& prefix);
/// A name that every shell accepts for a variable.
[[nodiscard]] bool is_variable_name(std::string_view name);

} // namespace taipan::cli
