#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace taipan {

/// A kind of files that running programs do not need. In patterns `*` stands for any text, also across directories;
/// paths are those in the environment.
struct SlimGroup {
    std::string_view name;
    std::string_view what;                  ///< for people
    std::vector<std::string_view> left_out; ///< patterns
    std::vector<std::string_view> kept;     ///< patterns of exceptions
    bool by_default = true;                 ///< left out when no group is named
    bool for_bytecode = false;              ///< only modules' sources, and only where their bytecode takes their place
};

/// All of them, as documented.
[[nodiscard]] const std::vector<SlimGroup>& slim_groups();

/// Which files of packages do not come into the environment.
class SlimRules {
public:
    SlimRules() = default; ///< everything comes
    /// `groups` are names of groups; "default" means those by default. `exclude` are further patterns of what is left
    /// out, `keep` of what comes all the same. Fails on an unknown name.
    static Result<SlimRules> make(const std::vector<std::string>& groups, std::vector<std::string> exclude,
                                  std::vector<std::string> keep);

    [[nodiscard]] bool empty() const { return groups_.empty() && exclude_.empty(); }
    [[nodiscard]] bool leaves_out(std::string_view path) const;
    /// Whether bytecode takes the place of the module's source at this path, if there is any.
    [[nodiscard]] bool yields_to_bytecode(std::string_view path) const;
    /// Whether a group of that name is among them.
    [[nodiscard]] bool has(std::string_view group) const;

private:
    [[nodiscard]] bool has_pattern_of(std::string_view path, bool for_bytecode) const;
    std::vector<const SlimGroup*> groups_;
    std::vector<std::string> exclude_, keep_;
};

} // namespace taipan
