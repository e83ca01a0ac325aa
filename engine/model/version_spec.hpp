#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "model/pattern.hpp"
#include "model/version.hpp"

namespace taipan {

/// A constraint on versions: `>=1.7,<2|3.*`, `=1.7`, `~=1.4.2`, `1.*.3`, `^1\.2.*$` (conda-spec 6.2).
/// Pre-releases are not treated apart: `3.12.0rc1` satisfies `<3.12`.
class VersionSpec {
public:
    /// Longest text, deepest nesting of parentheses: bounds what a hostile index can cost.
    static constexpr std::size_t max_length = 8192;
    static constexpr std::size_t max_depth = 32;

    /// Fails with ErrorCode::invalid_argument when the text is no version spec.
    static Result<VersionSpec> parse(std::string_view text);

    /// Whether the version satisfies the constraint. Allocates nothing, unless the spec has a `^regex$`.
    /// `~=1` (no component to drop; an error in conda when evaluated) contains no version.
    [[nodiscard]] bool contains(const Version& version) const;
    /// The spec in normal form: no blanks around `,`, `|` and parentheses, `1.7*` as `1.7.*`, only the parentheses
    /// that are needed (conda drops these too, and with them the meaning).
    [[nodiscard]] const std::string& text() const { return text_; }
    /// `*`: every version, pre-releases included.
    [[nodiscard]] bool is_any() const { return text_ == "*"; }

private:
    friend class VersionSpecParser;

    VersionSpec() = default;
    [[nodiscard]] bool node_contains(std::size_t at, const Version& version) const;

    std::string text_;
    std::vector<std::uint64_t> code_; // a tree in preorder, see version_spec.cpp
    std::vector<Pattern> patterns_;   // globs and regular expressions, by index from code_
};

/// Both constraints at once, in conda's normal form: texts sorted and joined with `,`.
Result<VersionSpec> merge(const VersionSpec& a, const VersionSpec& b);

} // namespace taipan
