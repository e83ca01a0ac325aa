#include "screen/timings_page.hpp"

#include <ctime>
#include <map>
#include <string_view>

#include "base/json_writer.hpp"

// The page is a text with one hole (timings_page.html); what goes into it is the recording as JSON, which a script of
// the page draws. Names come from servers: in the JSON no `<` is left, so that none can end the script element, and the
// script puts them into the page as text only.

namespace taipan::cli {

extern const char* const timings_page_template; // made from timings_page.html by the build

namespace {

constexpr std::string_view hole = "\"DATA\"";

std::string local_time(std::chrono::system_clock::time_point when) {
    const std::time_t seconds = std::chrono::system_clock::to_time_t(when);
    std::tm parts{};
    ::localtime_r(&seconds, &parts);
    char text[32];
    return {text, std::strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S", &parts)};
}

void write_spans(JsonWriter& json, const Recording& recording) {
    std::map<std::string_view, std::size_t> rows;
    json.key("rows").begin_array();
    for (const auto& span : recording.spans) {
        if (rows.try_emplace(span.subject, rows.size()).second) json.value(span.subject);
    }
    json.end_array();
    json.key("spans").begin_array();
    for (const auto& span : recording.spans) {
        json.begin_array().value(rows.at(span.subject)).value(static_cast<int>(span.stage));
        json.value(span.begin).value(span.end).value(span.first).value(span.total);
        json.value(static_cast<int>(span.outcome)).end_array();
    }
    json.end_array();
}

std::string data_of(const Recording& recording, const TimingsFacts& facts) {
    JsonWriter json(0);
    json.begin_object();
    json.member("command", facts.command_line).member("outcome", facts.outcome).member("ok", facts.ok);
    json.member("version", TAIPAN_VERSION).member("started", local_time(recording.started));
    json.member("workers", facts.workers).member("length", recording.length);
    json.key("stages").begin_array();
    for (int stage = 0; stage < stage_count; ++stage) json.value(to_string(static_cast<Stage>(stage)));
    json.end_array();
    write_spans(json, recording);
    json.key("bytes").begin_array();
    for (const auto& part : recording.bytes) {
        json.begin_array().value(part.begin).value(part.end).value(part.amount).end_array();
    }
    json.end_array();
    json.key("notes").begin_array();
    for (const auto& note : recording.notes) {
        if (note.severity == Severity::debug) continue;
        json.begin_array().value(note.at).value(note.severity == Severity::warning).value(note.text).end_array();
    }
    json.end_array();
    std::string text = json.end_object().take();
    for (std::size_t at = 0; (at = text.find('<', at)) != std::string::npos;) text.replace(at, 1, "\\u003c");
    return text;
}

} // namespace

std::string timings_page(const Recording& recording, const TimingsFacts& facts) {
    std::string page = timings_page_template;
    return page.replace(page.find(hole), hole.size(), data_of(recording, facts));
}

} // namespace taipan::cli
