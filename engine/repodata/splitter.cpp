// Cutting JSON without parsing it.
//
// Problem: conda-forge's index is a quarter of a gigabyte. Parsing it as one text needs all of it in memory, and one
// core. Approach: 64 bytes at a time, masks tell where strings and braces are (as simdjson's first stage does); at each
// brace outside of strings the depth says whether a record ends there. Text is inflated right into the buffer that will
// be parsed: behind the last complete record the rest, less than a record, moves on into the next buffer.
//
// What must hold: text_[begin_ - 1] may be overwritten (a batch begins with a brace of its own), and so may everything
// from the end of a batch on, since the rest has been copied by then.
#include "repodata/splitter.hpp"

#include <algorithm>
#include <bit>
#include <cstring>
#include <utility>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

namespace taipan::repodata {

bool fits_section(std::string_view file, Section section) {
    const std::string_view extension = section == Section::conda ? ".conda" : ".tar.bz2";
    const bool in_folder = file.find('/') == std::string_view::npos && file.find('\0') == std::string_view::npos;
    return in_folder && file.ends_with(extension) && !file.starts_with('.');
}
namespace {

constexpr std::size_t block_size = 64;
/// What a parser may read beyond the end of a text.
constexpr std::size_t padding = 2 * block_size;
constexpr std::size_t largest_key = 64;

/// Where in 64 bytes which characters are, the first byte being bit 0.
struct Masks {
    std::uint64_t quotes = 0, backslashes = 0, opening = 0, closing = 0;
};

#ifdef __SSE2__
Masks masks_of(const char* bytes) {
    Masks masks;
    constexpr int lane = 16;
    for (int i = 0; i < static_cast<int>(block_size) / lane; ++i) {
        const __m128i part = _mm_loadu_si128(reinterpret_cast<const __m128i*>(bytes + i * lane));
        const auto where = [&](char wanted) {
            const auto found =
                static_cast<std::uint32_t>(_mm_movemask_epi8(_mm_cmpeq_epi8(part, _mm_set1_epi8(wanted))));
            return std::uint64_t{found} << (i * lane);
        };
        masks.quotes |= where('"');
        masks.backslashes |= where('\\');
        masks.opening |= where('{');
        masks.closing |= where('}');
    }
    return masks;
}
#else
Masks masks_of(const char* bytes) {
    Masks masks;
    for (std::size_t i = 0; i < block_size; ++i) {
        const std::uint64_t bit = std::uint64_t{1} << i;
        masks.quotes |= bytes[i] == '"' ? bit : 0;
        masks.backslashes |= bytes[i] == '\\' ? bit : 0;
        masks.opening |= bytes[i] == '{' ? bit : 0;
        masks.closing |= bytes[i] == '}' ? bit : 0;
    }
    return masks;
}
#endif

/// Takes away the quotes that a backslash escapes. `escaped`: whether the first byte is; afterwards, whether the byte
/// behind the block is. `size` bytes of the block count.
void drop_escaped(Masks& masks, bool& escaped, std::size_t size) {
    if (masks.backslashes == 0 && !escaped) return;
    for (std::size_t i = 0; i < size; ++i) {
        const std::uint64_t bit = std::uint64_t{1} << i;
        if (escaped) {
            masks.quotes &= ~bit;
            escaped = false;
        } else {
            escaped = (masks.backslashes & bit) != 0;
        }
    }
}

/// Bit i: the number of bits set up to and with i is odd.
std::uint64_t running_parity(std::uint64_t bits) {
    for (unsigned shift = 1; shift < block_size; shift *= 2) bits ^= bits << shift;
    return bits;
}

bool is_blank(char letter) { return letter == ' ' || letter == '\n' || letter == '\r' || letter == '\t'; }

/// The key in `..."key":` at the end of a text; empty when there is none.
std::string_view last_key(std::string_view text) {
    const auto drop_blanks = [&] {
        while (!text.empty() && is_blank(text.back())) text.remove_suffix(1);
    };
    const auto drop = [&](char wanted) {
        drop_blanks();
        if (!text.ends_with(wanted)) return false;
        text.remove_suffix(1);
        return true;
    };
    if (!drop(':') || !drop('"')) return {};
    const auto window = text.substr(text.size() - std::min(text.size(), largest_key));
    const auto quote = window.rfind('"');
    return quote == std::string_view::npos ? std::string_view() : window.substr(quote + 1);
}

Error malformed(const char* what) {
    return make_error(ErrorCode::parse, std::string("is not valid JSON of a channel: ") + what +
                                            "; the server's copy may be damaged or incomplete");
}

} // namespace

Buffer Buffer::of_size(std::size_t capacity) {
    return {std::unique_ptr<char[]>(new char[capacity]), capacity}; // NOLINT: see there
}

Splitter::Splitter(MakeBuffer buffer, Sink sink, bool use_only_tar_bz2)
    : make_buffer_(std::move(buffer)), sink_(std::move(sink)), use_only_tar_bz2_(use_only_tar_bz2) {
    buffer_ = make_buffer_(batch_size + batch_size / 2);
}

std::span<char> Splitter::space() {
    constexpr std::size_t least = std::size_t{16} << 10;
    if (buffer_.capacity - filled_ < least + padding) renew(begin_);
    return {text() + filled_, buffer_.capacity - filled_ - padding};
}

/// Goes on in another buffer, into which what lies from `keep_from` on is copied.
void Splitter::renew(std::size_t keep_from) {
    const std::size_t kept = filled_ - keep_from;
    // Only a single record can be longer than a batch.
    Buffer next = make_buffer_(std::max(batch_size + batch_size / 2, kept * 2 + batch_size));
    std::memcpy(next.bytes.get() + 1, text() + keep_from, kept);
    buffer_ = std::move(next);
    const std::size_t moved = keep_from - 1;
    scanned_ -= moved;
    filled_ -= moved;
    record_end_ = record_end_ > keep_from ? record_end_ - moved : 0;
    begin_ = 1;
}

/// Hands over what lies between begin_ and `end`. The buffer is gone afterwards if this returns true.
bool Splitter::emit(std::size_t end, bool section_ends) {
    std::size_t start = begin_;
    const auto skip_blanks = [&] {
        while (start < end && is_blank(text()[start])) ++start;
    };
    skip_blanks();
    if (start == end) return false;
    if (!first_batch_ && text()[start] == ',') {
        ++start;
        if (section_ends) skip_blanks();
        if (start == end) --start; // a comma too many is for the parser to find
    }
    Batch batch;
    batch.section = section_;
    batch.number = next_number_++;
    batch.offset = start - 1;
    batch.size = end - start + 2;
    Buffer whole = std::move(buffer_);
    const std::size_t kept = filled_ - end;
    buffer_ = make_buffer_(std::max(batch_size + batch_size / 2, kept * 2 + batch_size));
    std::memcpy(text() + 1, whole.bytes.get() + end, kept);
    whole.bytes[start - 1] = '{';
    whole.bytes[end] = '}';
    batch.buffer = std::move(whole);
    scanned_ -= end - 1;
    filled_ -= end - 1;
    begin_ = 1;
    record_end_ = 0;
    first_batch_ = false;
    if (section_ == Section::tar_bz2 || !use_only_tar_bz2_) sink_(std::move(batch));
    return true;
}

Result<void> Splitter::brace(std::size_t at, bool opens) {
    if (opens) {
        ++depth_;
        if (in_section_ || depth_ != 2) return {};
        skeleton_.append(text() + begin_, at - begin_);
        const auto key = last_key(skeleton_);
        in_section_ = key == "packages" || key == "packages.conda";
        section_ = key == "packages" ? Section::tar_bz2 : Section::conda;
        first_batch_ = true;
        record_end_ = 0;
        begin_ = at + 1;
        skeleton_ += '{';
        return {};
    }
    if (depth_ == 0) return malformed("a '}' too many");
    --depth_;
    if (in_section_ && depth_ == 2) record_end_ = at + 1;
    return {};
}

Result<void> Splitter::scan() {
    std::array<char, block_size> last;
    while (scanned_ < filled_) {
        const std::size_t size = std::min(block_size, filled_ - scanned_);
        const char* bytes = text() + scanned_;
        if (size < block_size) {
            last.fill(' ');
            std::copy_n(bytes, size, last.begin());
            bytes = last.data();
        }
        Masks masks = masks_of(bytes);
        drop_escaped(masks, escaped_, size);
        std::uint64_t inside = running_parity(masks.quotes);
        if (in_string_) inside = ~inside;
        in_string_ = inside >> (block_size - 1) != 0;
        std::size_t base = scanned_;
        scanned_ += size;
        for (std::uint64_t braces = (masks.opening | masks.closing) & ~inside; braces != 0; braces &= braces - 1) {
            const auto bit = static_cast<std::size_t>(std::countr_zero(braces));
            const bool opens = (masks.opening >> bit & 1U) != 0;
            if (in_section_ && !opens && depth_ == 2) { // the section ends
                if (emit(base + bit, true)) base = 1 - bit;
                in_section_ = false;
            }
            TAIPAN_CHECK(brace(base + bit, opens));
        }
    }
    return {};
}

Result<void> Splitter::advance(std::size_t count) {
    filled_ += count;
    TAIPAN_CHECK(scan());
    if (!in_section_) {
        skeleton_.append(text() + begin_, scanned_ - begin_);
        begin_ = scanned_ = filled_ = 1;
    } else if (record_end_ != 0 && filled_ - begin_ >= batch_size) {
        emit(record_end_, false);
    }
    return {};
}

Result<std::string> Splitter::finish() {
    if (depth_ != 0 || in_string_) return malformed("the text ends too early");
    return std::move(skeleton_);
}

} // namespace taipan::repodata
