#include "model/dependency_name.hpp"

#include <array>
#include <cstdint>

#include "model/match_spec.hpp"

namespace taipan {

namespace {

enum class Letter : std::uint8_t { odd, plain, capital, end };

/// What a letter means in the name that a dependency begins with.
constexpr std::array<Letter, 256> letters = [] {
    std::array<Letter, 256> table{};
    for (unsigned char letter = 'a'; letter <= 'z'; ++letter) table.at(letter) = Letter::plain;
    for (unsigned char letter = 'A'; letter <= 'Z'; ++letter) table.at(letter) = Letter::capital;
    for (unsigned char letter = '0'; letter <= '9'; ++letter) table.at(letter) = Letter::plain;
    for (const char letter : {'_', '-', '.'}) table.at(static_cast<unsigned char>(letter)) = Letter::plain;
    for (const char letter : {' ', '=', '<', '>', '!', '~', '[', '('})
        table.at(static_cast<unsigned char>(letter)) = Letter::end;
    return table;
}();

} // namespace

std::string dependency_name(std::string_view text) {
    while (text.starts_with(' ')) text.remove_prefix(1);
    bool capitals = false;
    std::size_t size = 0;
    for (; size < text.size(); ++size) {
        const Letter letter = letters[static_cast<unsigned char>(text[size])];
        if (letter == Letter::end) break;
        if (letter == Letter::odd) {
            const auto spec = MatchSpec::parse(text);
            return spec ? spec->name() : std::string();
        }
        capitals = capitals || letter == Letter::capital;
    }
    std::string name(text.substr(0, size));
    if (capitals)
        for (char& letter : name)
            if (letter >= 'A' && letter <= 'Z') letter = static_cast<char>(letter - 'A' + 'a');
    return name;
}

} // namespace taipan
