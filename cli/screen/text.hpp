#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace taipan::cli {

/// `1.2 MB`; powers of 1000, as disks and networks are sold.
[[nodiscard]] std::string human_bytes(std::uint64_t bytes);
/// `0.3 s`, `2 min 5 s`.
[[nodiscard]] std::string human_seconds(double seconds);
/// `1 package`, `2 packages`.
[[nodiscard]] std::string counted(std::uint64_t number, std::string_view singular);

/// The parts of a text between separators, without empty ones. They refer to the text.
[[nodiscard]] std::vector<std::string_view> split_words(std::string_view text, char separator = ' ');

/// Breaks a text at blanks into lines of at most `width` columns. The first line is taken to start at column
/// `indent`, the others are indented by as much.
[[nodiscard]] std::string wrap_words(std::string_view text, std::size_t indent, std::size_t width);

enum class Align { left, right };

/// A table as plain text: columns as wide as their longest cell, two blanks apart, no trailing blanks.
class TextTable {
public:
    explicit TextTable(std::vector<Align> columns) : columns_(std::move(columns)) {}
    void add(std::vector<std::string> cells) { rows_.push_back(std::move(cells)); }
    /// A line of dashes below the row added last.
    void rule() { rule_after_ = rows_.size(); }
    [[nodiscard]] bool empty() const { return rows_.empty(); }
    /// Each line starts with `indent` blanks. To fit `width` columns, the widest column is narrowed and its longer
    /// cells lose their middle; 0: never.
    [[nodiscard]] std::string text(std::size_t indent, std::size_t width = 0) const;

private:
    std::vector<Align> columns_;
    std::vector<std::vector<std::string>> rows_;
    std::size_t rule_after_ = 0;
};

} // namespace taipan::cli
