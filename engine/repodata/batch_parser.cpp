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

simdjson::error_code MemberParser::parse(ondemand::object& members, ParsedBatch& parsed) {
    const std::string_view extension = parsed.section == Section::conda ? ".conda" : ".tar.bz2";
    for (auto item : members) {
        ondemand::field field;
        if (auto error = std::move(item).get(field)) return error;
        std::string_view file;
        if (!read_key(field, file)) return simdjson::STRING_ERROR;
        ondemand::object object;
        const auto error = field.value().get_object().get(object);
        const auto parts = split_package_filename(file);
        if (error == simdjson::INCORRECT_TYPE ||
            (error == simdjson::SUCCESS && (!parts || parts->extension != extension))) {
            ++parsed.skipped;
            continue;
        }
        if (error != simdjson::SUCCESS) return error;
        RecordView record;
        const auto reading = reader_.read(object, record);
        if (reading == RecordReading::no_json) return simdjson::TAPE_ERROR;
        // The record says what the package is called, as for conda and mamba; the file may be named otherwise.
        if (reading == RecordReading::unusable) {
            ++parsed.broken;
            continue;
        }
        record.fn = file;
        add(record, parsed);
    }
    end_run(parsed);
    name_.clear();
    arena_.clear();
    return simdjson::SUCCESS;
}

struct BatchParser::State {
    ondemand::parser json;
    MemberParser members;
};

BatchParser::BatchParser() : state_(std::make_unique<State>()) {}
BatchParser::~BatchParser() = default;

Result<ParsedBatch> BatchParser::parse(const Batch& batch) {
    ParsedBatch parsed;
    parsed.section = batch.section;
    parsed.number = batch.number;
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
