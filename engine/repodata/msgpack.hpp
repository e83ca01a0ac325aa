#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace taipan::repodata {

/// Walks through MessagePack bytes. Nothing is believed: a length beyond the end, nesting beyond a limit or an unknown
/// byte ends the walk, and from then on every answer is empty.
class MsgpackReader {
public:
    explicit MsgpackReader(std::string_view bytes) : rest_(bytes) {}

    enum class Kind : std::uint8_t { nil, boolean, integer, real, text, array, map, other, broken };
    /// What comes next.
    [[nodiscard]] Kind peek() const;
    /// The number of pairs, or of elements; nullopt when it is something else (which is then still there).
    std::optional<std::uint32_t> map();
    std::optional<std::uint32_t> array();
    /// Text or bytes; a view of the input.
    std::optional<std::string_view> text();
    std::optional<std::int64_t> integer();
    std::optional<bool> boolean();
    /// Passes over one value, whatever it is.
    bool skip(int depth = 0);

    [[nodiscard]] bool broken() const { return broken_; }
    [[nodiscard]] bool at_end() const { return rest_.empty(); }

private:
    std::uint64_t number(std::size_t bytes);
    std::optional<std::string_view> take(std::uint64_t size);
    void fail();
    [[nodiscard]] unsigned char head() const { return static_cast<unsigned char>(rest_.front()); }

    std::string_view rest_;
    bool broken_ = false;
};

} // namespace taipan::repodata
