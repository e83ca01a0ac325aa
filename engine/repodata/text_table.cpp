#include "repodata/text_table.hpp"

#include <algorithm>

#include "repodata/checksum.hpp"

namespace taipan::repodata {

namespace {
constexpr std::size_t first_slots = 64;
}

std::string_view TextTable::text(std::uint32_t id) const {
    const std::uint32_t begin = id == 0 ? 0 : ends_[id - 1];
    return std::string_view(bytes_).substr(begin, ends_[id] - begin);
}

void TextTable::grow() {
    const std::vector<Slot> old = std::move(slots_);
    slots_.assign(old.empty() ? first_slots : old.size() * 2, {});
    for (const Slot& slot : old) {
        if (slot.id <= base_) continue;
        std::size_t at = slot.hash & (slots_.size() - 1);
        while (slots_[at].id > base_) at = (at + 1) & (slots_.size() - 1);
        slots_[at] = slot;
    }
}

std::uint32_t TextTable::id(std::string_view text) {
    if (ends_.size() * 2 >= slots_.size()) grow();
    const auto hash = static_cast<std::uint32_t>(checksum(text));
    std::size_t at = hash & (slots_.size() - 1);
    for (; slots_[at].id > base_; at = (at + 1) & (slots_.size() - 1))
        if (slots_[at].hash == hash && this->text(slots_[at].id - base_ - 1) == text) return slots_[at].id - base_ - 1;
    bytes_.append(text);
    ends_.push_back(static_cast<std::uint32_t>(bytes_.size()));
    slots_[at] = {base_ + static_cast<std::uint32_t>(ends_.size()), hash};
    return static_cast<std::uint32_t>(ends_.size()) - 1;
}

void TextTable::clear() {
    constexpr std::uint32_t last_base = std::uint32_t{1} << 31U;
    base_ += size();
    bytes_.clear();
    ends_.clear();
    if (base_ < last_base) return;
    base_ = 0;
    std::fill(slots_.begin(), slots_.end(), Slot{});
}

} // namespace taipan::repodata
