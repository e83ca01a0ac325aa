#pragma once

#include <concepts>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace taipan {

/// Appends JSON to a string in the layout of Python's `json.dumps(indent=N)`: no DOM, no trailing newline,
/// non-ASCII escaped as \uXXXX. The caller is responsible for balanced begin/end calls.
class JsonWriter {
public:
    /// `indent` spaces a level.
    explicit JsonWriter(int indent = 2) : indent_(indent) {}
    /// A long text goes to `sink` in pieces while it is made; the last one by `flush`.
    using Sink = std::function<void(std::string_view piece)>;
    explicit JsonWriter(Sink sink, int indent = 2) : indent_(indent), sink_(std::move(sink)) {}

    JsonWriter& begin_object();
    JsonWriter& end_object();
    JsonWriter& begin_array();
    JsonWriter& end_array();
    JsonWriter& key(std::string_view name);
    JsonWriter& value(std::string_view text);
    JsonWriter& value(const char* text) { return value(std::string_view(text)); }
    JsonWriter& value(const std::string& text) { return value(std::string_view(text)); }
    JsonWriter& value(bool flag);
    JsonWriter& value(double number);
    template <std::integral Integer> JsonWriter& value(Integer number) {
        if constexpr (std::signed_integral<Integer>)
            return integer(static_cast<std::int64_t>(number));
        else
            return unsigned_integer(static_cast<std::uint64_t>(number));
    }
    JsonWriter& null();
    /// A value that is JSON already, perhaps laid out as a document of its own.
    JsonWriter& raw(std::string_view json);
    JsonWriter& value(const std::vector<std::string>& items);
    template <class Value> JsonWriter& member(std::string_view name, const Value& item) {
        key(name);
        return value(item);
    }

    [[nodiscard]] const std::string& text() const { return out_; }
    std::string take() { return std::move(out_); }
    void flush();

private:
    void separate();
    void newline();
    JsonWriter& integer(std::int64_t number);
    JsonWriter& unsigned_integer(std::uint64_t number);
    void quoted(std::string_view text);

    std::string out_;
    int indent_;
    Sink sink_;
    int depth_ = 0;
    bool first_ = true;
    bool after_key_ = false;
};

} // namespace taipan
