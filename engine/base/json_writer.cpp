#include "base/json_writer.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>

namespace taipan {

namespace {

constexpr std::size_t piece_size = 128 << 10;

/// Characters that stand for themselves in a JSON string.
bool is_plain(char c) { return c >= 0x20 && c < 0x7f && c != '"' && c != '\\'; }

/// How many characters from `at` on are plain; looks at eight of them at a time.
std::size_t plain_run(std::string_view text, std::size_t at) {
    constexpr std::uint64_t ones = 0x0101010101010101U, tops = 0x8080808080808080U;
    const auto has_zero = [](std::uint64_t word) { return (word - ones) & ~word & tops; };
    const std::size_t start = at;
    for (; at + 8 <= text.size(); at += 8) {
        std::uint64_t word = 0;
        std::memcpy(&word, text.data() + at, 8);
        // Beyond ASCII or a control character (a borrow may flag its neighbour too, which the loop below sorts out),
        // DEL, or one of the two with a meaning.
        const std::uint64_t special = (word & tops) | ((word - 0x20 * ones) & tops) | has_zero(word ^ (0x7f * ones)) |
                                      has_zero(word ^ ('"' * ones)) | has_zero(word ^ ('\\' * ones));
        if (special != 0) break;
    }
    while (at < text.size() && is_plain(text[at])) ++at;
    return at - start;
}

/// Decodes one UTF-8 sequence at `at`; an invalid byte yields U+FFFD and advances by one.
std::uint32_t next_code_point(std::string_view text, std::size_t& at) {
    const auto byte = [&](std::size_t i) { return static_cast<std::uint8_t>(text[i]); };
    const std::uint8_t lead = byte(at);
    const int extra = lead < 0x80              ? 0
                      : (lead & 0xe0U) == 0xc0 ? 1
                      : (lead & 0xf0U) == 0xe0 ? 2
                      : (lead & 0xf8U) == 0xf0 ? 3
                                               : -1;
    if (extra < 0 || at + static_cast<std::size_t>(extra) >= text.size()) {
        ++at;
        return 0xfffd;
    }
    std::uint32_t point = extra == 0 ? lead : lead & (0x3fU >> static_cast<unsigned>(extra));
    for (std::size_t i = 1; i <= static_cast<std::size_t>(extra); ++i) {
        if ((byte(at + i) & 0xc0U) != 0x80) {
            ++at;
            return 0xfffd;
        }
        point = (point << 6U) | (byte(at + i) & 0x3fU);
    }
    at += static_cast<std::size_t>(extra) + 1;
    return point > 0x10ffff ? 0xfffd : point;
}

void append_escape(std::string& out, std::uint32_t unit) {
    static constexpr std::string_view digits = "0123456789abcdef";
    out += "\\u";
    for (unsigned shift : {12U, 8U, 4U, 0U}) out.push_back(digits[(unit >> shift) & 15U]);
}

} // namespace

void JsonWriter::newline() {
    out_.push_back('\n');
    out_.append(static_cast<std::size_t>(depth_ * indent_), ' ');
}

void JsonWriter::separate() {
    if (after_key_) {
        after_key_ = false;
        return;
    }
    if (depth_ == 0) return;
    if (sink_ && out_.size() >= piece_size) flush();
    if (!first_) out_.push_back(',');
    first_ = false;
    newline();
}

void JsonWriter::flush() {
    if (!sink_) return;
    sink_(out_);
    out_.clear();
}

JsonWriter& JsonWriter::begin_object() {
    separate();
    out_.push_back('{');
    ++depth_;
    first_ = true;
    return *this;
}

JsonWriter& JsonWriter::end_object() {
    --depth_;
    if (!first_) newline();
    out_.push_back('}');
    first_ = false;
    return *this;
}

JsonWriter& JsonWriter::begin_array() {
    separate();
    out_.push_back('[');
    ++depth_;
    first_ = true;
    return *this;
}

JsonWriter& JsonWriter::end_array() {
    --depth_;
    if (!first_) newline();
    out_.push_back(']');
    first_ = false;
    return *this;
}

JsonWriter& JsonWriter::key(std::string_view name) {
    separate();
    quoted(name);
    out_ += ": ";
    after_key_ = true;
    return *this;
}

JsonWriter& JsonWriter::value(std::string_view text) {
    separate();
    quoted(text);
    return *this;
}

JsonWriter& JsonWriter::value(bool flag) {
    separate();
    out_ += flag ? "true" : "false";
    return *this;
}

JsonWriter& JsonWriter::value(double number) {
    separate();
    std::array<char, 32> buffer{};
    const auto end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), number).ptr;
    out_.append(buffer.data(), end);
    return *this;
}

JsonWriter& JsonWriter::integer(std::int64_t number) {
    separate();
    out_ += std::to_string(number);
    return *this;
}

JsonWriter& JsonWriter::unsigned_integer(std::uint64_t number) {
    separate();
    out_ += std::to_string(number);
    return *this;
}

JsonWriter& JsonWriter::raw(std::string_view json) {
    separate();
    // Strings have no line feeds in JSON, so each begins a line of the layout.
    for (std::size_t begin = 0; begin < json.size();) {
        const auto end = std::min(json.find('\n', begin), json.size());
        out_ += json.substr(begin, end - begin);
        if (end < json.size()) newline();
        begin = end + 1;
    }
    return *this;
}

JsonWriter& JsonWriter::null() {
    separate();
    out_ += "null";
    return *this;
}

JsonWriter& JsonWriter::value(const std::vector<std::string>& items) {
    begin_array();
    for (const auto& item : items) value(item);
    return end_array();
}

void JsonWriter::quoted(std::string_view text) {
    out_.push_back('"');
    std::size_t at = 0;
    while (at < text.size()) {
        const std::size_t start = at;
        at += plain_run(text, at);
        out_.append(text, start, at - start);
        if (at == text.size()) break;
        const std::uint32_t point = next_code_point(text, at);
        switch (point) {
        case '"': out_ += "\\\""; break;
        case '\\': out_ += "\\\\"; break;
        case '\n': out_ += "\\n"; break;
        case '\r': out_ += "\\r"; break;
        case '\t': out_ += "\\t"; break;
        case '\b': out_ += "\\b"; break;
        case '\f': out_ += "\\f"; break;
        default:
            if (point == 0x7f) {
                out_.push_back('\x7f');
            } else if (point >= 0x10000) {
                append_escape(out_, 0xd800U + ((point - 0x10000U) >> 10U));
                append_escape(out_, 0xdc00U + ((point - 0x10000U) & 0x3ffU));
            } else {
                append_escape(out_, point);
            }
        }
    }
    out_.push_back('"');
}

} // namespace taipan
