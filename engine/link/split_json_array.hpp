#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace taipan {

/// A JSON document with one long array taken out of it.
struct SplitJsonArray {
    std::string rest;                     ///< the document with that array empty
    std::vector<std::string_view> pieces; ///< elements of the array, in order, with the commas between them
};

/// Takes the array `key` out of the object that `text` is, in pieces of at least `piece_size` bytes (the last may be
/// shorter) that begin and end with an element. So a long list can be parsed with little memory. Brackets and strings
/// are all that is looked at: what is wrong in a piece, its parser will find. nullopt: there is no such array.
[[nodiscard]] std::optional<SplitJsonArray> split_json_array(std::string_view text, std::string_view key,
                                                             std::size_t piece_size);

} // namespace taipan
