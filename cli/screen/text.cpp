#include "screen/text.hpp"

#include <algorithm>
#include <array>

#include <fmt/format.h>

namespace taipan::cli {

std::string human_bytes(std::uint64_t bytes) {
    static constexpr std::array<std::string_view, 5> units = {"B", "KB", "MB", "GB", "TB"};
    auto amount = static_cast<double>(bytes);
    std::size_t unit = 0;
    while (amount >= 999.5 && unit + 1 < units.size()) {
        amount /= 1000;
        ++unit;
    }
    return fmt::format("{:.{}f} {}", amount, unit >= 2 && amount < 99.95 ? 1 : 0, units[unit]);
}

std::string human_seconds(double seconds) {
    if (seconds < 99.95) return fmt::format("{:.1f} s", seconds);
    const auto whole = static_cast<std::int64_t>(seconds + 0.5);
    return fmt::format("{} min {} s", whole / 60, whole % 60);
}

std::string counted(std::uint64_t number, std::string_view singular) {
    return fmt::format("{} {}{}", number, singular, number == 1 ? "" : "s");
}

std::vector<std::string_view> split_words(std::string_view text, char separator) {
    std::vector<std::string_view> words;
    while (!text.empty()) {
        const std::size_t end = std::min(text.find(separator), text.size());
        if (end > 0) words.push_back(text.substr(0, end));
        text.remove_prefix(std::min(end + 1, text.size()));
    }
    return words;
}

std::string wrap_words(std::string_view text, std::size_t indent, std::size_t width) {
    std::string out;
    std::size_t column = indent;
    while (!text.empty()) {
        const std::size_t end = std::min(text.find(' '), text.size());
        if (column > indent && column + 1 + end > width) {
            out.append("\n").append(indent, ' ');
            column = indent;
        } else if (column > indent) {
            out.push_back(' ');
            ++column;
        }
        out.append(text.substr(0, end));
        column += end;
        text.remove_prefix(std::min(end + 1, text.size()));
    }
    return out;
}

namespace {

/// The start and the end tell most of a name or URL.
std::string without_middle(const std::string& text, std::size_t width) {
    const std::size_t head = (width - 2) / 2;
    return text.substr(0, head) + ".." + text.substr(text.size() - (width - 2 - head));
}

} // namespace

std::string TextTable::text(std::size_t indent, std::size_t width) const {
    std::vector<std::size_t> widths(columns_.size(), 0);
    for (const auto& row : rows_) {
        for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
    }
    std::size_t total = indent;
    for (const auto column : widths) total += column + 2;
    if (!widths.empty()) total -= 2;
    while (width != 0 && total > width) {
        const auto widest = std::max_element(widths.begin(), widths.end());
        if (*widest <= 8) break;
        --*widest;
        --total;
    }
    std::string out;
    for (std::size_t line = 0; line < rows_.size(); ++line) {
        std::string text(indent, ' ');
        for (std::size_t i = 0; i < rows_[line].size(); ++i) {
            std::string cell = rows_[line][i];
            if (cell.size() > widths[i]) cell = without_middle(cell, widths[i]);
            const std::string padding(widths[i] - std::min(widths[i], cell.size()), ' ');
            text += columns_[i] == Align::right ? padding + cell : cell + padding;
            text += "  ";
        }
        text.erase(text.find_last_not_of(' ') + 1);
        out += text + '\n';
        if (rule_after_ == line + 1) out += std::string(indent, ' ') + std::string(total - indent, '-') + '\n';
    }
    return out;
}

} // namespace taipan::cli
