// Half of the time in which a large index becomes an index file would go into a JSON library that expects anything
// anywhere. Records of channels are all written by the same few tools; the shortest way through such text is to expect
// what comes, and to hand over to the library whatever comes otherwise.
//
// What must hold: a record that is read here is read as RecordReader reads it; at the first byte that is not as
// expected, nothing is concluded from it.
#include "repodata/plain_json.hpp"

#include <algorithm>
#include <cstring>

#ifdef __SSE2__
#include <bit>
#include <emmintrin.h>
#endif

namespace taipan::repodata {
namespace {

constexpr unsigned char last_control = 0x1f;

/// The first quote, backslash or control character.
#ifdef __SSE2__
const char* end_of_plain(const char* at, const char* end) {
    constexpr std::ptrdiff_t lane = 16;
    const __m128i quote = _mm_set1_epi8('"'), backslash = _mm_set1_epi8('\\'), control = _mm_set1_epi8(last_control);
    for (; at < end; at += lane) { // reads into the padding
        const __m128i part = _mm_loadu_si128(reinterpret_cast<const __m128i*>(at));
        const __m128i found = _mm_or_si128(_mm_or_si128(_mm_cmpeq_epi8(part, quote), _mm_cmpeq_epi8(part, backslash)),
                                           _mm_cmpeq_epi8(_mm_min_epu8(part, control), part));
        const auto where = static_cast<std::uint32_t>(_mm_movemask_epi8(found));
        if (where != 0) return std::min(at + std::countr_zero(where), end);
    }
    return end;
}
#else
const char* end_of_plain(const char* at, const char* end) {
    while (at < end && *at != '"' && *at != '\\' && static_cast<unsigned char>(*at) > last_control) ++at;
    return at;
}
#endif

bool is_blank(char letter) { return letter == ' ' || letter == '\n' || letter == '\r' || letter == '\t'; }
bool is_digit(char letter) { return letter >= '0' && letter <= '9'; }
bool ends_value(char letter) { return letter == ',' || letter == '}' || letter == ']' || is_blank(letter); }

} // namespace

void PlainMembers::begin(std::string_view text) {
    at_ = text.data();
    end_ = at_ + text.size();
    first_ = true;
    depends_ = constrains_ = {};
    keys_.clear();
}

void PlainMembers::skip_blanks() {
    while (at_ < end_ && is_blank(*at_)) ++at_;
}

bool PlainMembers::take(char wanted) {
    skip_blanks();
    if (at_ == end_ || *at_ != wanted) return false;
    ++at_;
    return true;
}

bool PlainMembers::take_word(std::string_view word) {
    if (static_cast<std::size_t>(end_ - at_) <= word.size() || std::string_view(at_, word.size()) != word) return false;
    if (!ends_value(at_[word.size()])) return false;
    at_ += word.size();
    return true;
}

bool PlainMembers::read_text(std::string_view& out) {
    if (at_ == end_ || *at_ != '"') return false;
    const char* const begin = at_ + 1;
    const char* const quote = end_of_plain(begin, end_);
    if (quote == end_ || *quote != '"') return false;
    out = {begin, static_cast<std::size_t>(quote - begin)};
    at_ = quote + 1;
    return true;
}

/// Below 10^18, and not written in any other way than JSON allows.
bool PlainMembers::read_number(std::int64_t& out) {
    constexpr int most_digits = 18;
    const bool negative = at_ < end_ && *at_ == '-';
    const char* at = at_ + (negative ? 1 : 0);
    if (at == end_ || !is_digit(*at)) return false;
    if (*at == '0' && at + 1 < end_ && is_digit(at[1])) return false;
    std::int64_t number = 0;
    int digits = 0;
    for (; at < end_ && is_digit(*at); ++at) {
        if (++digits > most_digits) return false;
        number = number * 10 + (*at - '0');
    }
    if (at == end_ || !ends_value(*at)) return false;
    out = negative ? -number : number;
    at_ = at;
    return true;
}

bool PlainMembers::read_list(KnownList& known, std::span<const std::string_view>& out) {
    const auto& written = known.written;
    if (!written.empty() && static_cast<std::size_t>(end_ - at_) >= written.size() &&
        std::memcmp(at_, written.data(), written.size()) == 0) {
        at_ += written.size();
        out = known.items;
        return true;
    }
    if (take_word("null")) {
        out = {};
        return true;
    }
    const char* const begin = at_;
    if (!take('[')) return false;
    items_.clear();
    if (!take(']')) {
        do {
            skip_blanks();
            std::string_view text;
            if (!read_text(text)) return false;
            items_.push_back(text);
        } while (take(','));
        if (!take(']')) return false;
    }
    known.items = arena_.keep(std::span<const std::string_view>(items_));
    known.written = {begin, static_cast<std::size_t>(at_ - begin)};
    out = known.items;
    return true;
}

/// Of a key that means nothing to us.
bool PlainMembers::skip_value() {
    if (at_ == end_) return false;
    switch (*at_) {
    case '"': {
        std::string_view text;
        return read_text(text);
    }
    case '[': {
        KnownList unknown;
        std::span<const std::string_view> list;
        return read_list(unknown, list);
    }
    case 't': return take_word("true");
    case 'f': return take_word("false");
    case 'n': return take_word("null");
    default: {
        std::int64_t number = 0;
        return read_number(number);
    }
    }
}

bool PlainMembers::read_text_field(RecordKey key) {
    switch (key) {
    case RecordKey::name: return read_text(record_.name);
    case RecordKey::version: return read_text(record_.version);
    case RecordKey::build: return read_text(record_.build);
    case RecordKey::features: return read_features(record_.features);
    case RecordKey::track_features: return read_features(record_.track_features);
    case RecordKey::noarch: {
        std::string_view text;
        if (!read_text(text)) return false;
        record_.noarch = noarch_of(text);
        return true;
    }
    default: {
        std::string_view* const text = text_field(record_, key);
        if (text == nullptr) return false;
        if (read_text(*text)) return true;
        *text = {};
        return take_word("null");
    }
    }
}

bool PlainMembers::read_features(std::string_view& out) {
    std::string_view text;
    out = {};
    if (!read_text(text)) return false;
    if (!text.empty()) out = arena_.keep(blank_separated(std::span(&text, 1)));
    return true;
}

bool PlainMembers::read_number_field(RecordKey key) {
    std::int64_t number = 0;
    if (!read_number(number)) return false;
    switch (key) {
    case RecordKey::build_number: record_.build_number = number; return true;
    case RecordKey::timestamp: record_.timestamp = timestamp_of(number); return true;
    case RecordKey::size: record_.size = static_cast<std::uint64_t>(number); return number >= 0;
    case RecordKey::legacy_bz2_size: record_.legacy_bz2_size = static_cast<std::uint64_t>(number); return number >= 0;
    default: return false;
    }
}

bool PlainMembers::read_field(RecordKey key) {
    switch (key) {
    case RecordKey::other: return skip_value();
    case RecordKey::depends: return read_list(depends_, record_.depends);
    case RecordKey::constrains: return read_list(constrains_, record_.constrains);
    case RecordKey::schema_version:
    case RecordKey::record_version: return false;
    case RecordKey::build_number:
    case RecordKey::timestamp:
    case RecordKey::size:
    case RecordKey::legacy_bz2_size: return read_number_field(key);
    default: return read_text_field(key);
    }
}

/// The keys of a record are nearly always those of the one before, in the same order.
bool PlainMembers::read_key(std::size_t place, RecordKey& key) {
    if (place < keys_.size()) {
        const auto& written = keys_[place].written;
        if (static_cast<std::size_t>(end_ - at_) >= written.size() &&
            std::memcmp(at_, written.data(), written.size()) == 0) {
            at_ += written.size();
            key = keys_[place].key;
            return true;
        }
        keys_.resize(place);
    }
    const char* const begin = at_;
    std::string_view text;
    if (!read_text(text) || !take(':')) return false;
    key = record_key(text);
    keys_.push_back({{begin, static_cast<std::size_t>(at_ - begin)}, key});
    return true;
}

bool PlainMembers::read_object() {
    record_ = RecordView();
    if (!take('{')) return false;
    if (take('}')) return true;
    std::size_t place = 0;
    do {
        skip_blanks();
        RecordKey key = RecordKey::other;
        if (!read_key(place++, key)) return false;
        skip_blanks();
        if (!read_field(key)) return false;
    } while (take(','));
    return take('}');
}

/// To the brace that closes the one at hand, if this is JSON.
bool PlainMembers::skip_object() {
    std::size_t depth = 0;
    for (bool in_text = false; at_ < end_; ++at_) {
        if (in_text) {
            if (*at_ == '\\' && at_ + 1 < end_)
                ++at_;
            else if (*at_ == '"')
                in_text = false;
        } else if (*at_ == '"') {
            in_text = true;
        } else if (*at_ == '{') {
            ++depth;
        } else if (*at_ == '}' && --depth == 0) {
            ++at_;
            return true;
        }
    }
    return false;
}

PlainMembers::Step PlainMembers::next() {
    if (first_ && !take('{')) return Step::odd;
    if (first_ ? take('}') : !take(',')) {
        if (!first_ && !take('}')) return Step::odd;
        skip_blanks();
        return at_ == end_ ? Step::end : Step::odd;
    }
    first_ = false;
    skip_blanks();
    if (!read_text(file_) || !take(':')) return Step::odd;
    skip_blanks();
    const char* const begin = at_;
    if (begin == end_ || *begin != '{') return Step::odd;
    if (read_object()) return Step::record;
    at_ = begin;
    if (!skip_object()) return Step::odd;
    text_ = {begin, static_cast<std::size_t>(at_ - begin)};
    return Step::other;
}

} // namespace taipan::repodata
