#include "repodata/record_fields.hpp"

#include <algorithm>
#include <array>

namespace taipan::repodata {

std::string_view* text_field(RecordView& record, std::string_view key) {
    struct Field {
        std::string_view key;
        std::string_view RecordView::*member;
    };
    static constexpr std::array<Field, 10> fields = {{
        {"md5", &RecordView::md5},
        {"sha256", &RecordView::sha256},
        {"subdir", &RecordView::subdir},
        {"license", &RecordView::license},
        {"license_family", &RecordView::license_family},
        {"legacy_bz2_md5", &RecordView::legacy_bz2_md5},
        {"python_site_packages_path", &RecordView::python_site_packages_path},
        {"arch", &RecordView::arch},
        {"platform", &RecordView::platform},
        {"date", &RecordView::date},
    }};
    for (const auto& field : fields)
        if (key == field.key) return &(record.*field.member);
    return nullptr;
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
