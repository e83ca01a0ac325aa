#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "base/result.hpp"

/// The ordering key of a version as a flat array of 64-bit words: what Version and VersionSpec are made of.
/// version.cpp opens with the encoding.
namespace taipan::version_key {

using View = std::span<const std::uint64_t>;

/// Appends the key of `text` to `out`; on error `out` is left as it was.
Result<void> append(std::string_view text, std::vector<std::uint64_t>& out);
/// conda's order of versions (conda-spec 6.1). Allocates nothing.
[[nodiscard]] std::weak_ordering compare(View a, View b) noexcept;
/// Whether `prefix` is a component-wise prefix of `key` (`=1.7`). Allocates nothing.
[[nodiscard]] bool starts_with(View key, View prefix) noexcept;

} // namespace taipan::version_key
