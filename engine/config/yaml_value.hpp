#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.hpp"

namespace taipan {

/// A YAML document as plain data: the only form in which the rest of the code sees YAML.
struct YamlValue {
    enum class Kind { null, scalar, sequence, map };
    Kind kind = Kind::null;
    std::string text; ///< of a scalar, as written (quotes removed)
    int line = 0;     ///< where it starts, counted from 1
    std::vector<YamlValue> items;
    std::vector<std::pair<std::string, YamlValue>> members; ///< in the order of the file
    bool quoted = false; ///< of a scalar: written in quotes, so it is text even if it looks like a number

    [[nodiscard]] bool is_null() const { return kind == Kind::null; }
    [[nodiscard]] bool is_scalar() const { return kind == Kind::scalar; }
    [[nodiscard]] bool is_sequence() const { return kind == Kind::sequence; }
    [[nodiscard]] bool is_map() const { return kind == Kind::map; }
    /// The member of that name; nullptr when there is none or this is no map.
    [[nodiscard]] const YamlValue* find(std::string_view key) const;
};

/// Parses the first document of `text`. Errors (ErrorCode::parse) name `path` and the line: bad syntax, a key that is
/// no scalar, nesting beyond 64 levels, or more than a million values (aliases that multiply).
Result<YamlValue> parse_yaml(std::string_view text, std::string_view path);

} // namespace taipan
