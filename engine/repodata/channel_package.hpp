#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace taipan {

/// The members of a JSON object by key: each value as compact JSON text.
using JsonFields = std::map<std::string, std::string, std::less<>>;

/// One package of a folder that is being indexed.
struct ChannelPackage {
    std::string fn;
    std::uint64_t size = 0;    ///< of the archive, bytes
    std::int64_t mtime_ns = 0; ///< of the archive
    std::string name;          ///< of the package
    JsonFields record;         ///< as it goes into repodata.json
    std::string run_exports;   ///< JSON object, `{}` when there are none (CEP 12)
    bool operator==(const ChannelPackage&) const = default;
};

/// What is known of the archive itself.
struct ArchiveFacts {
    std::uint64_t size = 0;
    std::int64_t mtime_ns = 0;
    std::string md5, sha256;
};

/// Makes the record of repodata out of the package's own texts: info/index.json without what only its builder needed,
/// with the archive's size and digests, and with the subdir it lies in. Unknown keys are kept. corrupt_package when the
/// text is no record, or is that of another package than the file name says.
Result<ChannelPackage> make_channel_package(std::string_view fn, std::string_view subdir, const ArchiveFacts& facts,
                                            std::string_view index_json, std::string_view run_exports_json);

/// The members of a JSON object; parse when the text is something else.
Result<JsonFields> read_json_fields(std::string_view json);
/// The object as one line, keys sorted.
void append_json(std::string& out, const JsonFields& fields);
/// A text as a JSON string, with quotes.
[[nodiscard]] std::string json_string(std::string_view text);
/// The text of a JSON string; nullopt when it is no string.
[[nodiscard]] std::optional<std::string> text_of_json(std::string_view json);

/// By file name: what earlier runs have read, to be used again while size and modification time stay the same.
using ChannelPackages = std::map<std::string, ChannelPackage, std::less<>>;

/// The text of a folder's index cache.
[[nodiscard]] std::string write_index_cache(const ChannelPackages& packages);
/// Reads it back. What is damaged or of another format is left out: it is only a cache.
[[nodiscard]] ChannelPackages read_index_cache(std::string_view text);

} // namespace taipan
