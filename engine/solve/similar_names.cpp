#include "solve/explain.hpp"

#include <algorithm>
#include <numeric>
#include <utility>

namespace taipan::solve_detail {
namespace {

/// Typing errors (insert, delete, replace, swap of neighbours) between two words; gives up above `limit`.
std::size_t distance(std::string_view a, std::string_view b, std::size_t limit) {
    if (a.size() > b.size() + limit || b.size() > a.size() + limit) return limit + 1;
    std::vector<std::size_t> before(b.size() + 1), previous(b.size() + 1), current(b.size() + 1);
    std::iota(previous.begin(), previous.end(), std::size_t{0});
    for (std::size_t i = 1; i <= a.size(); ++i) {
        current[0] = i;
        for (std::size_t j = 1; j <= b.size(); ++j) {
            const std::size_t replaced = previous[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
            current[j] = std::min({previous[j] + 1, current[j - 1] + 1, replaced});
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                current[j] = std::min(current[j], before[j - 2] + 1);
        }
        if (*std::min_element(current.begin(), current.end()) > limit) return limit + 1;
        before.swap(previous);
        previous.swap(current);
    }
    return previous[b.size()];
}

/// `-`, `_` and `.` are what people mix up most.
std::string without_separators(std::string_view name) {
    std::string text;
    for (const char letter : name)
        if (letter != '-' && letter != '_' && letter != '.') text += letter;
    return text;
}

} // namespace

std::vector<std::string> similar_names(std::string_view wanted, const std::vector<std::string>& names,
                                       std::size_t limit) {
    constexpr std::size_t long_word = 5;
    const std::size_t allowed = wanted.size() >= long_word ? 2 : 1;
    const std::string bare = without_separators(wanted);
    std::vector<std::pair<std::size_t, std::string>> found;
    for (const auto& name : names) {
        if (name == wanted) continue; // it is there, but has no package that can be used
        if (without_separators(name) == bare)
            found.emplace_back(0, name);
        else if (const auto errors = distance(wanted, name, allowed); errors <= allowed)
            found.emplace_back(errors, name);
    }
    std::sort(found.begin(), found.end());
    if (found.size() > limit) found.resize(limit);
    std::vector<std::string> result;
    for (auto& [errors, name] : found) result.push_back(std::move(name));
    return result;
}

} // namespace taipan::solve_detail
