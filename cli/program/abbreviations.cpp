#include "program/abbreviations.hpp"

#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "screen/text.hpp"

namespace taipan::cli {

namespace {

bool has_name(const Option& option, std::string_view wanted) {
    const auto names = split_words(option.names, ',');
    return std::find(names.begin(), names.end(), wanted) != names.end();
}

/// The options that begin like `word`, each with the first of its names that does.
std::vector<std::string> meant(const Options& options, std::string_view word) {
    std::vector<std::string> found;
    for (const auto& option : options) {
        for (const auto name : split_words(option.names, ',')) {
            if (!name.starts_with(word)) continue;
            found.emplace_back(name);
            break;
        }
    }
    if (std::string_view("--help").starts_with(word)) found.emplace_back("--help");
    return found;
}

} // namespace

std::string expand_abbreviations(const Options& options, std::vector<std::string>& words, bool ends_at_first_word) {
    for (std::size_t i = 0; i < words.size() && words[i] != "--"; ++i) {
        if (words[i].size() < 2 || words[i].front() != '-') {
            if (ends_at_first_word) break;
            continue;
        }
        std::string name = words[i].substr(0, words[i].find('='));
        auto option =
            std::find_if(options.begin(), options.end(), [&](const Option& one) { return has_name(one, name); });
        if (option == options.end() && name.starts_with("--") && name.size() > 2) {
            const auto all = meant(options, name);
            if (all.size() > 1) return fmt::format("ambiguous option {}: it could be {}", name, fmt::join(all, ", "));
            if (all.empty()) continue;
            words[i].replace(0, name.size(), all.front());
            name = all.front();
            option =
                std::find_if(options.begin(), options.end(), [&](const Option& one) { return has_name(one, name); });
        }
        if (option != options.end() && option->takes_value() && words[i].size() == name.size()) ++i; // its value
    }
    return {};
}

} // namespace taipan::cli
