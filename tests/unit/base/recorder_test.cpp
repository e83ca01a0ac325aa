#include <catch2/catch.hpp>

#include "base/recorder.hpp"

using namespace taipan;

namespace {

/// Counts what is handed on.
class Counter final : public EventSink {
public:
    void begin(Stage, std::string_view, std::uint64_t) override { ++calls; }
    void advance(Stage, std::string_view, std::uint64_t) override { ++calls; }
    void end(Stage, std::string_view, bool) override { ++calls; }
    void note(Severity, std::string_view) override { ++calls; }
    int calls = 0;
};

} // namespace

TEST_CASE("a recording has each piece of work and hands everything on", "[recorder]") {
    Counter next;
    Recorder recorder(next);
    recorder.begin(Stage::fetch, "app", 100);
    recorder.advance(Stage::fetch, "app", 40);
    recorder.advance(Stage::fetch, "app", 100);
    recorder.end(Stage::fetch, "app", true);
    recorder.begin(Stage::extract, "app", 0);
    recorder.end(Stage::extract, "app", false);
    recorder.begin(Stage::link, "lib", 3);
    recorder.advance(Stage::link, "other", 1); // of something that never began
    recorder.note(Severity::warning, "careful");
    CHECK(next.calls == 9);

    const Recording recording = recorder.recording();
    REQUIRE(recording.spans.size() == 3);
    CHECK(recording.spans[0].subject == "app");
    CHECK(recording.spans[0].outcome == RecordedSpan::Outcome::succeeded);
    CHECK(recording.spans[0].total == 100);
    CHECK(recording.spans[0].first >= recording.spans[0].begin);
    CHECK(recording.spans[1].outcome == RecordedSpan::Outcome::failed);
    CHECK(recording.spans[1].first == -1);
    CHECK(recording.spans[2].outcome == RecordedSpan::Outcome::unfinished);
    CHECK(recording.spans[2].end == recording.length);
    REQUIRE(recording.bytes.size() == 2);
    CHECK(recording.bytes[0].amount == 40);
    CHECK(recording.bytes[1].amount == 60);
    CHECK(recording.bytes[1].begin == recording.bytes[0].end);
    REQUIRE(recording.notes.size() == 1);
    CHECK(recording.notes[0].text == "careful");
}

TEST_CASE("a download that starts over counts its bytes again", "[recorder]") {
    Counter next;
    Recorder recorder(next);
    recorder.begin(Stage::fetch, "app", 100);
    recorder.advance(Stage::fetch, "app", 80);
    recorder.advance(Stage::fetch, "app", 30);
    recorder.begin(Stage::fetch, "app", 100); // and again, as another try
    recorder.advance(Stage::fetch, "app", 100);
    recorder.end(Stage::fetch, "app", true);
    const Recording recording = recorder.recording();
    std::uint64_t sum = 0;
    for (const auto& part : recording.bytes) sum += part.amount;
    CHECK(sum == 80 + 30 + 100);
    REQUIRE(recording.spans.size() == 2);
    CHECK(recording.spans[0].outcome == RecordedSpan::Outcome::failed);
    CHECK(recording.spans[1].outcome == RecordedSpan::Outcome::succeeded);
}
