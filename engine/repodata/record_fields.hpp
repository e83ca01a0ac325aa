#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "repodata/record_view.hpp"

/// What the fields of a record mean, whichever form they come in (JSON or MessagePack).
namespace taipan::repodata {

/// Records of a newer schema or record version carry dependencies in a syntax we would misread.
inline constexpr std::int64_t newest_schema_version = 2;
inline constexpr std::int64_t newest_record_version = 1;

/// The keys of a record that mean something to us.
enum class RecordKey : std::uint8_t {
    other,
    name,
    version,
    build,
    build_number,
    depends,
    constrains,
    schema_version,
    record_version,
    md5,
    sha256,
    subdir,
    license,
    license_family,
    legacy_bz2_md5,
    legacy_bz2_size,
    python_site_packages_path,
    arch,
    platform,
    date,
    size,
    noarch,
    track_features,
    features,
    timestamp,
};

[[nodiscard]] RecordKey record_key(std::string_view key);
/// The text field of that key, if it is one that no decision hangs on; else nullptr.
[[nodiscard]] std::string_view* text_field(RecordView& record, RecordKey key);
/// Whether the record has what makes a package, in letters that cannot lead out of the directory that files named after
/// it lie in. Its name is in lower case afterwards.
[[nodiscard]] bool identify(RecordView& record, Arena& arena);
/// Copies all texts of the record but `fn` into the arena.
void keep_texts(RecordView& record, Arena& arena);
[[nodiscard]] Noarch noarch_of(std::string_view text);
/// Milliseconds, from seconds or milliseconds; nullopt when it says nothing.
[[nodiscard]] std::optional<std::int64_t> timestamp_of(std::int64_t number);
/// Features in one text, commas too turned into blanks.
[[nodiscard]] std::string blank_separated(std::span<const std::string_view> items);
/// The same text if it has no capital letters, else a copy in the arena.
[[nodiscard]] std::string_view lower_case(std::string_view text, Arena& arena);

} // namespace taipan::repodata
