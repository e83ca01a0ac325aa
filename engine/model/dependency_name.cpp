#include "model/dependency_name.hpp"

#include "model/match_spec.hpp"

namespace taipan {

std::string dependency_name(std::string_view text) {
    const auto start = text.find_first_not_of(' ');
    if (start == std::string_view::npos) return {};
    text.remove_prefix(start);
    const auto end = text.find_first_of(" =<>!~[(");
    const auto name = text.substr(0, end);
    std::string lower(name);
    for (char& letter : lower) {
        if (letter >= 'A' && letter <= 'Z') letter = static_cast<char>(letter - 'A' + 'a');
        const bool plain = (letter >= 'a' && letter <= 'z') || (letter >= '0' && letter <= '9') || letter == '_' ||
                           letter == '-' || letter == '.';
        if (!plain) {
            const auto spec = MatchSpec::parse(text);
            return spec ? spec->name() : std::string();
        }
    }
    return lower;
}

} // namespace taipan
