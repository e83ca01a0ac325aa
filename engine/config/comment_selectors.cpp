#include "config/comment_selectors.hpp"

#include <algorithm>
#include <array>

#include "config/expand.hpp"

namespace taipan {

namespace {

struct PlatformWords {
    std::string_view subdir;
    std::array<std::string_view, 3> words;
};
constexpr std::array<PlatformWords, 6> platform_words = {{
    {"linux-64", {"linux64", "unix", "linux"}},
    {"linux-aarch64", {"aarch64", "unix", "linux"}},
    {"linux-ppc64le", {"ppc64le", "unix", "linux"}},
    {"osx-64", {"osx64", "osx", "unix"}},
    {"osx-arm64", {"arm64", "osx", "unix"}},
    {"win-64", {"win", "win64", "win"}},
}};

bool has_word(const PlatformWords& platform, std::string_view word) {
    return std::find(platform.words.begin(), platform.words.end(), word) != platform.words.end();
}

/// What stands in the brackets of the comment at the end of a line; empty when there is none.
std::string_view selector_of(std::string_view line) {
    const auto close = line.rfind(']');
    const auto comment = line.find('#');
    if (close == std::string_view::npos || comment == std::string_view::npos || comment == 0 || comment > close)
        return {};
    if (line.find_first_of("()", close) != std::string_view::npos) return {};
    const auto open = line.rfind('[', close);
    if (open == std::string_view::npos || open < comment) return {};
    return trimmed(line.substr(open + 1, close - open - 1));
}

} // namespace

std::string lines_for_platform(std::string_view text, std::string_view subdir, std::vector<std::string>& unknown) {
    std::string kept;
    while (!text.empty()) {
        const auto end = std::min(text.find('\n'), text.size());
        const auto line = text.substr(0, end);
        text.remove_prefix(std::min(end + 1, text.size()));
        const auto word = trimmed(line).starts_with('#') ? std::string_view() : selector_of(line);
        const bool known = std::any_of(platform_words.begin(), platform_words.end(),
                                       [&](const PlatformWords& platform) { return has_word(platform, word); });
        const bool holds =
            std::any_of(platform_words.begin(), platform_words.end(), [&](const PlatformWords& platform) {
                return platform.subdir == subdir && has_word(platform, word);
            });
        if (word.empty() || holds) kept.append(line).append("\n");
        if (!word.empty() && !known) unknown.emplace_back(word);
    }
    return kept;
}

} // namespace taipan
