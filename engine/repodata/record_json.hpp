#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include <simdjson.h>

#include "repodata/record_fields.hpp"
#include "repodata/record_view.hpp"

namespace taipan::repodata {

/// The text of a key or value; copied only where it has escapes.
bool read_text(simdjson::ondemand::value& value, std::string_view& out);
bool read_key(simdjson::ondemand::field& field, std::string_view& out);

/// An integer, also as text or as a floating-point number without fraction.
std::optional<std::int64_t> read_integer(simdjson::ondemand::value& value);

/// Whether it is null. The library's own function throws at what only begins like it.
bool is_null(simdjson::ondemand::value& value);

/// What reading a record ended with.
enum class RecordReading {
    usable,
    unusable, ///< no name, version or build; wrong types; of a schema that is unknown to us
    no_json,  ///< the text is no JSON: nothing of it can be read any further
};

/// Reads records of repodata (conda-spec 7.4) with the lenience real channels need: build numbers as text,
/// track_features as text or list, `noarch: true`, timestamps in seconds, nulls.
class RecordReader {
public:
    /// Texts go on pointing into the parser's buffers, lists into the arena.
    explicit RecordReader(Arena& arena) : arena_(arena) {}
    /// Fills in everything but `fn`.
    RecordReading read(simdjson::ondemand::object& object, RecordView& record);

private:
    bool read_vital(RecordKey key, simdjson::ondemand::value& value, RecordView& record, bool& known);
    void read_optional(RecordKey key, simdjson::ondemand::value& value, RecordView& record);
    bool read_list(simdjson::ondemand::value& value, std::span<const std::string_view>& out);
    void read_features(simdjson::ondemand::value& value, std::string_view& out);

    Arena& arena_;
    std::vector<std::string_view> items_; ///< of the list at hand
};

} // namespace taipan::repodata
