#pragma once

#include <compare>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace taipan {

/// A conda version (CEP 33): its text and the key by which versions are ordered.
/// Equality and ordering are conda's: `1.0 == 1.0.0`, `1.0.1_ < 1.0.1a`, `1.1dev1 < 1.1`.
class Version {
public:
    /// Longest text that is accepted (CEP 26 allows 64 characters; this bounds what a hostile index can ask for).
    static constexpr std::size_t max_length = 512;

    /// Fails with ErrorCode::parse when the text is no version.
    static Result<Version> parse(std::string_view text);

    [[nodiscard]] const std::string& text() const { return text_; }
    /// Never allocates.
    [[nodiscard]] std::weak_ordering operator<=>(const Version& other) const;
    [[nodiscard]] bool operator==(const Version& other) const { return (*this <=> other) == 0; }
    /// Component-wise prefix test of `=1.7` and `1.7.*` (conda-spec 6.1).
    [[nodiscard]] bool starts_with(const Version& prefix) const;
    /// "X.Y" of the first two components, for Python's site-packages path; "X" when there is only one.
    [[nodiscard]] std::string major_minor() const;
    /// The ordering key, see version_key.hpp.
    [[nodiscard]] std::span<const std::uint64_t> key() const { return key_; }

private:
    Version(std::string text, std::vector<std::uint64_t> key) : text_(std::move(text)), key_(std::move(key)) {}

    std::string text_;               // without surrounding blanks, otherwise as written
    std::vector<std::uint64_t> key_; // see version_key.hpp
};

} // namespace taipan
