#include "repodata/record_fields.hpp"

#include <algorithm>
#include <array>

namespace taipan::repodata {

namespace {

struct KnownKey {
    std::string_view text;
    RecordKey key = RecordKey::other;
    std::string_view RecordView::*text_member = nullptr;
};

constexpr std::array<KnownKey, 24> known_keys = {{
    {"name", RecordKey::name, nullptr},
    {"version", RecordKey::version, nullptr},
    {"build", RecordKey::build, nullptr},
    {"build_number", RecordKey::build_number, nullptr},
    {"depends", RecordKey::depends, nullptr},
    {"constrains", RecordKey::constrains, nullptr},
    {"schema_version", RecordKey::schema_version, nullptr},
    {"record_version", RecordKey::record_version, nullptr},
    {"md5", RecordKey::md5, &RecordView::md5},
    {"sha256", RecordKey::sha256, &RecordView::sha256},
    {"subdir", RecordKey::subdir, &RecordView::subdir},
    {"license", RecordKey::license, &RecordView::license},
    {"license_family", RecordKey::license_family, &RecordView::license_family},
    {"legacy_bz2_md5", RecordKey::legacy_bz2_md5, &RecordView::legacy_bz2_md5},
    {"legacy_bz2_size", RecordKey::legacy_bz2_size, nullptr},
    {"python_site_packages_path", RecordKey::python_site_packages_path, &RecordView::python_site_packages_path},
    {"arch", RecordKey::arch, &RecordView::arch},
    {"platform", RecordKey::platform, &RecordView::platform},
    {"date", RecordKey::date, &RecordView::date},
    {"size", RecordKey::size, nullptr},
    {"noarch", RecordKey::noarch, nullptr},
    {"track_features", RecordKey::track_features, nullptr},
    {"features", RecordKey::features, nullptr},
    {"timestamp", RecordKey::timestamp, nullptr},
}};

constexpr std::size_t slots = 64;

/// Different for each known key.
constexpr std::size_t slot_of(std::string_view key) {
    return (key.size() + static_cast<unsigned char>(key.front()) * std::size_t{36} +
            static_cast<unsigned char>(key.back()) * std::size_t{4}) %
           slots;
}

/// By slot: the key that can be meant there.
constexpr std::array<KnownKey, slots> keys_by_slot = [] {
    std::array<KnownKey, slots> table{};
    for (const KnownKey& known : known_keys) table.at(slot_of(known.text)) = known;
    return table;
}();

static_assert(
    [] {
        for (const KnownKey& known : known_keys)
            if (keys_by_slot.at(slot_of(known.text)).key != known.key) return false;
        return true;
    }(),
    "two keys have one slot: slot_of needs other factors");

/// By key.
constexpr auto text_members = [] {
    std::array<std::string_view RecordView::*, known_keys.size() + 1> members{};
    for (const KnownKey& known : known_keys) members.at(static_cast<std::size_t>(known.key)) = known.text_member;
    return members;
}();

/// Letters that no part of a file name may have.
constexpr auto leads_out_letters = [] {
    constexpr unsigned char blank = ' ', deleted = 127;
    std::array<bool, 256> table{};
    for (unsigned letter = 0; letter < blank; ++letter) table.at(letter) = true;
    table.at('/') = table.at(deleted) = true;
    return table;
}();

} // namespace

RecordKey record_key(std::string_view key) {
    if (key.empty()) return RecordKey::other;
    const KnownKey& known = keys_by_slot[slot_of(key)];
    return known.text == key ? known.key : RecordKey::other;
}

std::string_view* text_field(RecordView& record, RecordKey key) {
    const auto member = text_members[static_cast<std::size_t>(key)];
    return member == nullptr ? nullptr : &(record.*member);
}

bool identify(RecordView& record, Arena& arena) {
    const auto is_part = [](std::string_view text) {
        bool leads_out = text.empty();
        for (const char letter : text) leads_out |= leads_out_letters[static_cast<unsigned char>(letter)];
        return !leads_out;
    };
    if (!is_part(record.name) || !is_part(record.version) || !is_part(record.build)) return false;
    record.name = lower_case(record.name, arena);
    return true;
}

void keep_texts(RecordView& record, Arena& arena) {
    for (auto* text : {&record.name, &record.version, &record.build, &record.track_features, &record.features})
        *text = arena.keep(*text);
    for (const auto member : text_members)
        if (member != nullptr) record.*member = arena.keep(record.*member);
    for (auto* list : {&record.depends, &record.constrains}) {
        const auto copies = arena.keep(*list);
        for (auto& text : copies) text = arena.keep(text);
        *list = copies;
    }
}

Noarch noarch_of(std::string_view text) {
    if (text == "python") return Noarch::python;
    if (text == "generic") return Noarch::generic;
    return Noarch::none;
}

std::optional<std::int64_t> timestamp_of(std::int64_t number) {
    // Up to the year 9999 a number means seconds, a greater one milliseconds.
    constexpr std::int64_t last_second = 253402300799;
    constexpr std::int64_t milliseconds = 1000;
    if (number <= 0) return std::nullopt;
    return number > last_second ? number : number * milliseconds;
}

std::string blank_separated(std::span<const std::string_view> items) {
    std::string text;
    for (const auto item : items) {
        if (!text.empty()) text += ' ';
        text += item;
    }
    std::replace(text.begin(), text.end(), ',', ' ');
    return text;
}

std::string_view lower_case(std::string_view text, Arena& arena) {
    const auto is_upper = [](char letter) { return letter >= 'A' && letter <= 'Z'; };
    if (std::none_of(text.begin(), text.end(), is_upper)) return text;
    char* const place = arena.allocate<char>(text.size());
    std::transform(text.begin(), text.end(), place,
                   [&](char letter) { return is_upper(letter) ? static_cast<char>(letter - 'A' + 'a') : letter; });
    return {place, text.size()};
}

} // namespace taipan::repodata
