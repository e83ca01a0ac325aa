#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace taipan::repodata {

/// Texts, each kept once; ids count from 0 in the order of first use. Made to be emptied and filled again often.
class TextTable {
public:
    std::uint32_t id(std::string_view text);
    [[nodiscard]] std::uint32_t size() const { return static_cast<std::uint32_t>(ends_.size()); }
    [[nodiscard]] const std::string& bytes() const { return bytes_; } ///< of all texts, one after the other
    [[nodiscard]] const std::vector<std::uint32_t>& ends() const { return ends_; } ///< where each ends in `bytes`
    [[nodiscard]] std::string_view text(std::uint32_t id) const;
    void clear();

private:
    void grow();

    struct Slot {
        std::uint32_t id; ///< base_ + 1 + id; free if not above base_: emptying the table need not touch its slots
        std::uint32_t hash;
    };
    std::string bytes_;
    std::vector<std::uint32_t> ends_;
    std::vector<Slot> slots_;
    std::uint32_t base_ = 0;
};

} // namespace taipan::repodata
