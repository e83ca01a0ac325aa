// The problem: a solve parses tens of thousands of versions and compares them millions of times, with conda's rules
// (conda-spec 6.1), which speak of lists of lists of numbers and strings, padded with zeros.
//
// The approach: a version's key is one flat array of 64-bit words, whose upper four bits are a tag and whose order as
// plain integers is conda's order wherever two keys have the same shape:
//
//     start_number, start_big   the number a component begins with (the epoch is the first component)
//     string < number < big < post   the further runs of a component
//     local                     comes before the components of the local part, if there is one
//     more                      the rest of a long string or number
//
// A number has up to 18 decimal digits in one word; a bigger one is its count of digits, then 18 digits a word. A
// string has 12 symbols of 5 bits a word, left-aligned and ending with at least one zero symbol; symbols are numbered
// in the order `*` < dev < `_` < a..z, so `*`, dev and `1.0.1_` need no case of their own.
//
// What must hold: compare() and starts_with() allocate nothing. Keys are not shortened (`1.0` and `1` differ as
// arrays), because starts_with() counts components; compare() pads the shorter side where the shapes part.

#include "model/version.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <utility>

#include "model/version_key.hpp"

namespace taipan {

namespace version_key {
namespace {

using Word = std::uint64_t;

constexpr unsigned tag_shift = 60;
constexpr Word payload_mask = (Word{1} << tag_shift) - 1;
enum Tag : Word { more = 0, string = 1, number = 2, big = 3, post = 4, start_number = 5, start_big = 6, local = 7 };

constexpr std::size_t symbols_in_word = 12;
constexpr std::size_t digits_in_word = 18;
constexpr Word dev_symbol = 2;

constexpr Word make_word(Tag tag, Word payload) { return (Word{tag} << tag_shift) | payload; }
constexpr Tag tag_of(Word word) { return static_cast<Tag>(word >> tag_shift); }
constexpr bool is_zero(Word word) { return word == make_word(number, 0) || word == make_word(start_number, 0); }

constexpr bool is_digit(char c) { return c >= '0' && c <= '9'; }
constexpr bool is_blank(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

constexpr Word symbol_of(char c) {
    if (c == '*') return 1;
    if (c == '_') return 3;
    return static_cast<Word>(c - 'a') + 4;
}

Error invalid(std::string_view text, const char* why) {
    return make_error(ErrorCode::parse, "invalid version '" + std::string(text.substr(0, 100)) + "': " + why);
}

void append_number(std::string_view digits, bool starts, std::vector<Word>& out) {
    digits.remove_prefix(std::min(digits.find_first_not_of('0'), digits.size()));
    auto value_of = [](std::string_view part) {
        Word value = 0;
        for (char c : part) value = value * 10 + static_cast<Word>(c - '0');
        return value;
    };
    if (digits.size() <= digits_in_word) {
        out.push_back(make_word(starts ? start_number : number, value_of(digits)));
        return;
    }
    out.push_back(make_word(starts ? start_big : big, digits.size()));
    for (; !digits.empty(); digits.remove_prefix(std::min(digits_in_word, digits.size())))
        out.push_back(make_word(more, value_of(digits.substr(0, digits_in_word))));
}

void append_string(std::string_view run, std::vector<Word>& out) {
    if (run == "post") {
        out.push_back(make_word(post, 0));
        return;
    }
    if (run == "dev") {
        out.push_back(make_word(string, dev_symbol << (tag_shift - 5)));
        return;
    }
    Tag tag = string;
    for (bool ended = false; !ended; tag = more) {
        Word payload = 0;
        for (std::size_t i = 0; i < symbols_in_word; ++i)
            payload = payload << 5 | (i < run.size() ? symbol_of(run[i]) : 0);
        out.push_back(make_word(tag, payload));
        ended = run.size() < symbols_in_word;
        run.remove_prefix(std::min(run.size(), symbols_in_word));
    }
}

/// One component: runs of digits, of stars and of anything else; a number comes first, be it a 0 put there.
void append_component(std::string_view component, std::vector<Word>& out) {
    bool starts = true;
    if (!is_digit(component.front())) {
        append_number("", true, out);
        starts = false;
    }
    while (!component.empty()) {
        auto kind = [](char c) { return is_digit(c) ? 0 : c == '*' ? 1 : 2; };
        std::size_t length = 1;
        while (length < component.size() && kind(component[length]) == kind(component.front())) ++length;
        const std::string_view run = component.substr(0, length);
        if (is_digit(run.front()))
            append_number(run, starts, out);
        else
            append_string(run, out);
        starts = false;
        component.remove_prefix(length);
    }
}

/// The components of the main or the local part; false if one is empty. `keep_last_underscore`: a `_` at the very end
/// belongs to the last component instead of separating an empty one (`1.0.1_`).
bool append_part(std::string_view part, bool keep_last_underscore, std::vector<Word>& out) {
    const std::size_t separable = keep_last_underscore && part.ends_with('_') ? part.size() - 1 : part.size();
    std::size_t begin = 0;
    for (std::size_t i = 0; i <= part.size(); ++i) {
        const bool separates = i == part.size() || (i < separable && (part[i] == '.' || part[i] == '_'));
        if (!separates) continue;
        if (i == begin) return false;
        append_component(part.substr(begin, i - begin), out);
        begin = i + 1;
    }
    return true;
}

/// Lower case, with `-` as `_`; fails on characters that no version has.
Result<std::string_view> normalise(std::string_view text, std::span<char> buffer) {
    bool dash = false;
    bool underscore = false;
    for (std::size_t i = 0; i < text.size(); ++i) {
        char c = text[i];
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
        if (c == '-') {
            dash = true;
            c = '_';
        } else if (c == '_') {
            underscore = true;
        } else if (!(is_digit(c) || (c >= 'a' && c <= 'z') || c == '.' || c == '+' || c == '!' || c == '*')) {
            return invalid(text, "it has a character that versions may not have");
        }
        buffer[i] = c;
    }
    if (dash && underscore) return invalid(text, "'-' and '_' exclude each other");
    return std::string_view(buffer.data(), text.size());
}

Result<void> append_parts(std::string_view text, std::string_view rest, std::vector<Word>& out) {
    std::string_view epoch = "0";
    if (const auto mark = rest.find('!'); mark != std::string_view::npos) {
        epoch = rest.substr(0, mark);
        rest.remove_prefix(mark + 1);
        if (epoch.empty() || !std::all_of(epoch.begin(), epoch.end(), is_digit))
            return invalid(text, "the epoch before '!' is no number");
        if (rest.find('!') != std::string_view::npos) return invalid(text, "it has two epochs");
    }
    const auto plus = rest.find('+');
    const std::string_view main = rest.substr(0, plus);
    if (main.empty()) return invalid(text, "nothing stands where the version should");
    append_component(epoch, out);
    if (!append_part(main, true, out)) return invalid(text, "it has an empty component");
    if (plus == std::string_view::npos) return {};
    const std::string_view local_part = rest.substr(plus + 1);
    if (local_part.find('+') != std::string_view::npos) return invalid(text, "it has two local parts");
    out.push_back(make_word(local, 0));
    if (!append_part(local_part, false, out)) return invalid(text, "it has an empty component");
    return {};
}

enum class At { end, local_part, component, run };

At what_is(View key, std::size_t index) {
    if (index == key.size()) return At::end;
    const Tag tag = tag_of(key[index]);
    return tag == local ? At::local_part : tag >= start_number ? At::component : At::run;
}

/// Splits a key before its local part.
std::pair<View, View> split_local(View key) {
    const auto mark = std::find(key.begin(), key.end(), make_word(local, 0));
    const auto length = static_cast<std::size_t>(mark - key.begin());
    return {key.first(length), mark == key.end() ? View{} : key.subspan(length + 1)};
}

/// Index of the first word after the run that begins at `index`.
std::size_t run_end(View key, std::size_t index) {
    do ++index;
    while (index < key.size() && tag_of(key[index]) == more);
    return index;
}

/// Whether the string run `text` begins with the string run `prefix`.
bool string_starts_with(View text, View prefix) {
    for (std::size_t i = 0; i < prefix.size(); ++i) {
        if (i >= text.size()) return false;
        // Symbols that the prefix does not have are zero and count for nothing.
        const Word symbols = prefix[i] & payload_mask;
        const Word mask = symbols == 0 ? 0 : payload_mask << (std::countr_zero(symbols) / 5 * 5) & payload_mask;
        if ((text[i] & mask) != symbols) return false;
    }
    return true;
}

} // namespace

Result<void> append(std::string_view text, std::vector<Word>& out) {
    while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
    while (!text.empty() && is_blank(text.back())) text.remove_suffix(1);
    if (text.empty()) return make_error(ErrorCode::parse, "an empty text is no version");
    if (text.size() > Version::max_length) return invalid(text, "it is too long");
    std::array<char, Version::max_length> buffer;
    TAIPAN_TRY(const std::string_view normal, normalise(text, buffer));
    const std::size_t before = out.size();
    auto result = append_parts(text, normal, out);
    if (!result) out.resize(before);
    return result;
}

std::weak_ordering compare(View a, View b) noexcept {
    // Keys of the same shape differ first in words whose order as integers is the answer.
    const std::size_t common = std::min(a.size(), b.size());
    std::size_t i = 0;
    while (i < common && a[i] == b[i]) ++i;
    // From here the shapes may part: `i` walks in a, `j` in b, and what one of them lacks counts as 0.
    std::size_t j = i;
    constexpr auto less = std::weak_ordering::less;
    constexpr auto greater = std::weak_ordering::greater;
    while (true) {
        const At in_a = what_is(a, i);
        const At in_b = what_is(b, j);
        if (in_a == in_b) {
            if (in_a == At::end) return std::weak_ordering::equivalent;
            if (a[i] != b[j]) return a[i] < b[j] ? less : greater;
            ++i;
            ++j;
        } else if (in_a == At::run) {
            if (!is_zero(a[i])) return tag_of(a[i]) == string ? less : greater;
            ++i;
        } else if (in_b == At::run) {
            if (!is_zero(b[j])) return tag_of(b[j]) == string ? greater : less;
            ++j;
        } else if (in_a == At::component) {
            if (!is_zero(a[i])) return greater;
            ++i;
        } else if (in_b == At::component) {
            if (!is_zero(b[j])) return less;
            ++j;
        } else { // only one has a local part
            (in_a == At::local_part ? i : j) += 1;
        }
    }
}

bool starts_with(View key, View prefix) noexcept {
    auto [key_part, key_local] = split_local(key);
    auto [prefix_part, prefix_local] = split_local(prefix);
    if (!prefix_local.empty()) {
        if (compare(key_part, prefix_part) != 0) return false;
        key_part = key_local;
        prefix_part = prefix_local;
    }
    // All components before the prefix's last one are equal ...
    std::size_t last = prefix_part.size() - 1;
    while (what_is(prefix_part, last) != At::component) --last;
    const auto components = std::count_if(prefix_part.begin(), prefix_part.begin() + static_cast<std::ptrdiff_t>(last),
                                          [](Word word) { return tag_of(word) >= start_number; });
    std::size_t begin = 0;
    for (auto seen = components + 1; begin < key_part.size(); ++begin)
        if (what_is(key_part, begin) == At::component && --seen == 0) break;
    if (compare(key_part.first(begin), prefix_part.first(last)) != 0) return false;
    // ... and in the last one all runs but the last are equal ...
    const View wanted = prefix_part.subspan(last);
    View component = key_part.subspan(begin);
    if (!component.empty()) {
        std::size_t end = 1;
        while (what_is(component, end) == At::run) ++end;
        component = component.first(end);
    }
    std::size_t wanted_run = 0;
    std::size_t run = 0;
    for (std::size_t next = run_end(wanted, 0); next < wanted.size(); next = run_end(wanted, next)) {
        wanted_run = next;
        if (run < component.size()) run = run_end(component, run);
    }
    if (compare(component.first(run), wanted.first(wanted_run)) != 0) return false;
    // ... and the last run is a string's beginning or an equal number.
    const View wanted_last = wanted.subspan(wanted_run);
    if (run == component.size()) return is_zero(wanted_last.front());
    const View found = component.subspan(run, run_end(component, run) - run);
    if (tag_of(wanted_last.front()) == string)
        return tag_of(found.front()) == string && string_starts_with(found, wanted_last);
    return std::equal(found.begin(), found.end(), wanted_last.begin(), wanted_last.end());
}

} // namespace version_key

Result<Version> Version::parse(std::string_view text) {
    while (!text.empty() && version_key::is_blank(text.front())) text.remove_prefix(1);
    while (!text.empty() && version_key::is_blank(text.back())) text.remove_suffix(1);
    std::vector<std::uint64_t> key;
    key.reserve(8);
    TAIPAN_CHECK(version_key::append(text, key));
    return Version(std::string(text), std::move(key));
}

std::weak_ordering Version::operator<=>(const Version& other) const { return version_key::compare(key_, other.key_); }

bool Version::starts_with(const Version& prefix) const { return version_key::starts_with(key_, prefix.key_); }

std::string Version::major_minor() const {
    std::string result;
    std::string_view rest = text_;
    if (const auto mark = rest.find('!'); mark != std::string_view::npos) rest.remove_prefix(mark + 1);
    rest = rest.substr(0, rest.find('+'));
    for (int component = 0; component < 2 && !rest.empty(); ++component) {
        std::size_t digits = 0;
        while (digits < rest.size() && version_key::is_digit(rest[digits])) ++digits;
        if (component > 0) result += '.';
        result += digits == 0 ? std::string_view("0") : rest.substr(0, digits);
        const auto separator = rest.find_first_of("._-");
        rest = separator == std::string_view::npos ? std::string_view() : rest.substr(separator + 1);
    }
    return result;
}

} // namespace taipan
