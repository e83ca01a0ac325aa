#include "repodata/batch_parser.hpp"

#include <cstring>

#include "repodata/member_parser.hpp"
#include "repodata/record_fields.hpp"

namespace taipan::repodata {

namespace ondemand = simdjson::ondemand;

Error no_channel_json(simdjson::error_code error) {
    return make_error(ErrorCode::parse, std::string("is not valid JSON of a channel: ") +
                                            simdjson::error_message(error) +
                                            "; the server's copy may be damaged or incomplete");
}

namespace {

ParsedBatch of_batch(const Batch& batch) {
    ParsedBatch parsed;
    parsed.section = batch.section;
    parsed.number = batch.number;
    return parsed;
}

} // namespace

void MemberParser::end_run(ParsedBatch& parsed) {
    if (writer_.size() == 0) return;
    Fragment fragment;
    fragment.records = writer_.size();
    fragment.name = static_cast<std::uint32_t>(parsed.names.size());
    fragment.name_size = static_cast<std::uint32_t>(name_.size());
    parsed.names.append(name_);
    fragment.block = static_cast<std::uint32_t>(parsed.blocks.size());
    writer_.finish(parsed.blocks);
    fragment.block_size = static_cast<std::uint32_t>(parsed.blocks.size()) - fragment.block;
    parsed.fragments.push_back(fragment);
}

void MemberParser::add(const RecordView& record, ParsedBatch& parsed) {
    if (record.name != name_) {
        end_run(parsed);
        name_.assign(record.name);
    }
    writer_.add(record);
}

bool MemberParser::fits(std::string_view file, const ParsedBatch& parsed) {
    return fits_section(file, parsed.section);
}

/// The record says what the package is called, as for conda and mamba; the file may be named otherwise.
void MemberParser::take(RecordReading reading, std::string_view file, RecordView& record, ParsedBatch& parsed) {
    if (reading == RecordReading::unusable) {
        ++parsed.broken;
        return;
    }
    record.fn = file;
    add(record, parsed);
}

void MemberParser::finish(ParsedBatch& parsed) {
    end_run(parsed);
    name_.clear();
    arena_.clear();
}

simdjson::error_code MemberParser::parse(ondemand::object& members, ParsedBatch& parsed) {
    for (auto item : members) {
        ondemand::field field;
        if (auto error = std::move(item).get(field)) return error;
        std::string_view file;
        if (!read_key(field, file)) return simdjson::STRING_ERROR;
        ondemand::object object;
        const auto error = field.value().get_object().get(object);
        if (error == simdjson::INCORRECT_TYPE || (error == simdjson::SUCCESS && !fits(file, parsed))) {
            ++parsed.skipped;
            continue;
        }
        if (error != simdjson::SUCCESS) return error;
        RecordView record;
        const auto reading = reader_.read(object, record);
        if (reading == RecordReading::no_json) return simdjson::TAPE_ERROR;
        take(reading, file, record, parsed);
    }
    finish(parsed);
    return simdjson::SUCCESS;
}

/// A record with something in it that is not plain.
bool MemberParser::parse_other(std::string_view text, std::string_view file, ParsedBatch& parsed) {
    ondemand::document document;
    ondemand::object object;
    // The members behind it are its padding.
    const simdjson::padded_string_view padded(text.data(), text.size(), text.size() + simdjson::SIMDJSON_PADDING);
    if (json_.iterate(padded).get(document) != simdjson::SUCCESS ||
        document.get_object().get(object) != simdjson::SUCCESS)
        return false;
    RecordView record;
    const auto reading = reader_.read(object, record);
    if (reading == RecordReading::no_json) return false;
    // What it says about names is in the parser's own buffer, which the next one uses again.
    if (reading == RecordReading::usable) keep_texts(record, arena_);
    take(reading, file, record, parsed);
    return true;
}

bool MemberParser::parse_plain(const Batch& batch, ParsedBatch& parsed) {
    const std::string_view text = batch.text();
    if (!simdjson::validate_utf8(text.data(), text.size())) return false;
    plain_.begin(text);
    for (auto step = plain_.next(); step != PlainMembers::Step::end; step = plain_.next()) {
        bool read = step != PlainMembers::Step::odd;
        if (read && !fits(plain_.file(), parsed)) {
            ++parsed.skipped;
        } else if (step == PlainMembers::Step::record) {
            RecordView& record = plain_.record();
            const bool usable = identify(record, arena_);
            take(usable ? RecordReading::usable : RecordReading::unusable, plain_.file(), record, parsed);
        } else if (step == PlainMembers::Step::other) {
            read = parse_other(plain_.text(), plain_.file(), parsed);
        }
        if (read) continue;
        std::string nothing;
        writer_.finish(nothing);
        name_.clear();
        arena_.clear();
        parsed = of_batch(batch);
        return false;
    }
    finish(parsed);
    return true;
}

struct BatchParser::State {
    ondemand::parser json;
    MemberParser members;
};

BatchParser::BatchParser(bool plain) : state_(std::make_unique<State>()), plain_(plain) {}
BatchParser::~BatchParser() = default;

Result<ParsedBatch> BatchParser::parse(const Batch& batch) {
    ParsedBatch parsed = of_batch(batch);
    if (plain_ && state_->members.parse_plain(batch, parsed)) return parsed;
    const simdjson::padded_string_view text(batch.text(), batch.buffer.capacity - batch.offset);
    ondemand::document document;
    ondemand::object members;
    auto error = state_->json.iterate(text).get(document);
    if (error == simdjson::SUCCESS) error = document.get_object().get(members);
    if (error == simdjson::SUCCESS) error = state_->members.parse(members, parsed);
    if (error == simdjson::SUCCESS && document.current_location().error() == simdjson::SUCCESS)
        error = simdjson::TRAILING_CONTENT;
    if (error != simdjson::SUCCESS) return no_channel_json(error);
    return parsed;
}

} // namespace taipan::repodata
