#pragma once

#include <string>

#include <simdjson.h>

#include "base/result.hpp"
#include "repodata/batch_parser.hpp"
#include "repodata/name_block.hpp"
#include "repodata/plain_json.hpp"
#include "repodata/record_json.hpp"
#include "repodata/record_view.hpp"

/// For the sources of this folder only: whoever includes this needs the JSON library.
namespace taipan::repodata {

/// "is not valid JSON of a channel: ...": the caller says what is not.
[[nodiscard]] Error no_channel_json(simdjson::error_code error);

/// Turns members of a section, `"<file name>": {record}`, into fragments.
class MemberParser {
public:
    /// The section of `parsed` says which one it is.
    simdjson::error_code parse(simdjson::ondemand::object& members, ParsedBatch& parsed);
    /// The same, as far as possible without the JSON library. False: the text needs it, and nothing was read.
    bool parse_plain(const Batch& batch, ParsedBatch& parsed);

private:
    /// Whether it is the name of a package of this section.
    static bool fits(std::string_view file, const ParsedBatch& parsed);
    bool parse_other(std::string_view text, std::string_view file, ParsedBatch& parsed);
    void take(RecordReading reading, std::string_view file, RecordView& record, ParsedBatch& parsed);
    void add(const RecordView& record, ParsedBatch& parsed);
    void end_run(ParsedBatch& parsed);
    void finish(ParsedBatch& parsed);

    Arena arena_;
    RecordReader reader_{arena_};
    PlainMembers plain_{arena_};
    simdjson::ondemand::parser json_; ///< for single records
    BlockWriter writer_;
    std::string name_; ///< of the packages in writer_
};

} // namespace taipan::repodata
