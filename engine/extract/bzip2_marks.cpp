// A magic number that ends `shift` bits before the end of a byte covers five whole bytes besides two partial ones. Two
// of the whole ones are looked up in tables of the alignments that they fit; hardly any pair of bytes fits one, and
// only then all 48 bits are compared.

#include "extract/bzip2_marks.hpp"

namespace taipan {

namespace {

constexpr std::uint64_t magic_mask = (std::uint64_t{1} << bzip2_magic_bits) - 1;
constexpr unsigned alignments = 8;

std::uint64_t magic_of(unsigned kind) { return kind == 0 ? bzip2_block_magic : bzip2_end_magic; }

} // namespace

Bzip2MarkFinder::Bzip2MarkFinder() {
    for (unsigned kind = 0; kind < 2; ++kind) {
        for (unsigned shift = 0; shift < alignments; ++shift) {
            const auto placed = magic_of(kind) << shift;
            const auto flag = static_cast<std::uint16_t>(1U << (kind * alignments + shift));
            auto& second = second_.at((placed >> 16U) & 0xffU);
            auto& third = third_.at((placed >> 24U) & 0xffU);
            second = static_cast<std::uint16_t>(second | flag);
            third = static_cast<std::uint16_t>(third | flag);
        }
    }
}

void Bzip2MarkFinder::scan(std::string_view bytes, std::vector<Bzip2Mark>& found) {
    auto last = last_;
    auto read = read_;
    for (const char c : bytes) {
        last = (last << 8U) | static_cast<unsigned char>(c);
        ++read;
        const unsigned fits = second_[(last >> 16U) & 0xffU] & third_[(last >> 24U) & 0xffU];
        if (fits == 0) continue;
        for (unsigned shift = alignments; shift-- > 0;) { // the earlier bit first
            for (unsigned kind = 0; kind < 2; ++kind) {
                if ((fits >> (kind * alignments + shift) & 1U) == 0) continue;
                if ((last >> shift & magic_mask) != magic_of(kind) || read * 8 < bzip2_magic_bits + shift) continue;
                found.push_back({read * 8 - bzip2_magic_bits - shift, kind == 1});
            }
        }
    }
    last_ = last;
    read_ = read;
}

} // namespace taipan
