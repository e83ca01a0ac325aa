#include <catch2/catch.hpp>

#include <map>

#include <simdjson.h>

#include "screen/chrome_trace.hpp"
#include "screen/timings_page.hpp"

using namespace taipan;
using namespace taipan::cli;

namespace {

RecordedSpan span(Stage stage, std::string subject, std::int64_t begin, std::int64_t end) {
    return {stage, std::move(subject), begin, end, -1, 10, RecordedSpan::Outcome::succeeded};
}

Recording example() {
    Recording recording;
    recording.length = 100'000;
    recording.spans = {span(Stage::fetch, "a-1", 0, 50'000), span(Stage::fetch, "b-1", 10'000, 30'000),
                       span(Stage::fetch, "c-1", 30'000, 40'000),
                       span(Stage::extract, "</script><b>\xff", 50'000, 60'000)};
    recording.bytes = {{Stage::fetch, 0, 50'000, 1'000'000}};
    recording.notes = {{5, Severity::warning, "a \"note\" with <tags>"}};
    return recording;
}

} // namespace

TEST_CASE("a trace is JSON whose lanes have no overlapping events", "[timings]") {
    simdjson::dom::parser parser;
    const simdjson::padded_string text(chrome_trace(example(), "taipan create 'x<1'"));
    const simdjson::dom::element document = parser.parse(text);
    std::map<std::int64_t, std::int64_t> busy_until; // by lane
    int spans = 0, counters = 0;
    for (const simdjson::dom::element event : document["traceEvents"]) {
        const std::string_view phase = event["ph"];
        if (phase == "C") ++counters;
        if (phase != "X") continue;
        ++spans;
        const std::int64_t lane = event["tid"], begin = event["ts"], length = event["dur"];
        CHECK(begin >= busy_until[lane]);
        busy_until[lane] = begin + length;
    }
    CHECK(spans == 4);
    CHECK(counters > 3);
    CHECK(busy_until.size() == 3); // two downloads at once, the third in the place of the second
}

TEST_CASE("no name can become a part of the page", "[timings]") {
    TimingsFacts facts;
    facts.command_line = "taipan create '<img src=x>'";
    facts.outcome = "<!--";
    const std::string page = timings_page(example(), facts);
    const std::size_t data = page.find("<script id=\"data\"");
    const std::size_t end = page.find("</script>", data);
    REQUIRE(end != std::string::npos);
    const std::size_t begin = page.find('>', data) + 1;
    CHECK(page.substr(begin, end - begin).find('<') == std::string::npos);
    simdjson::dom::parser parser;
    const simdjson::padded_string text(page.substr(begin, end - begin));
    const simdjson::dom::element document = parser.parse(text);
    const std::string_view command = document["command"];
    CHECK(command == facts.command_line);
    CHECK(page.find("<img") == std::string::npos);
}

TEST_CASE("a page loads nothing from elsewhere", "[timings]") {
    const std::string page = timings_page(example(), {});
    CHECK(page.find("src=") == std::string::npos);
    CHECK(page.find("@import") == std::string::npos);
    CHECK(page.find("url(") == std::string::npos);
    CHECK(page.find("<link") == std::string::npos);
}
