#include "screen/chrome_trace.hpp"

#include <algorithm>
#include <array>
#include <map>

#include "base/json_writer.hpp"

// Spans begin on one thread and end on another (a download begins on the network thread, early extraction has a thread
// of its own), so a lane is not a thread: it is the first row of its stage that is free when the span begins. That way
// no two events of a lane overlap, which the format wants.

namespace taipan::cli {

namespace {

constexpr int process = 1;
constexpr int lanes_per_stage = 1000;
constexpr std::int64_t rate_step = 20'000; ///< microseconds

std::string_view outcome_word(RecordedSpan::Outcome outcome) {
    switch (outcome) {
    case RecordedSpan::Outcome::succeeded: return "succeeded";
    case RecordedSpan::Outcome::failed: return "failed";
    case RecordedSpan::Outcome::unfinished: return "unfinished";
    }
    return "?";
}

class TraceWriter {
public:
    explicit TraceWriter(const Recording& recording) : recording_(recording) {}

    std::string write(const std::string& command_line) {
        json_.begin_object();
        json_.member("displayTimeUnit", "ms");
        json_.key("otherData").begin_object().member("command", command_line).end_object();
        json_.key("traceEvents").begin_array();
        name("process_name", 0, "taipan");
        for (const auto& span : recording_.spans) write_span(span);
        name_lanes();
        write_work();
        write_rate();
        for (const auto& note : recording_.notes) write_note(note);
        json_.end_array();
        return json_.end_object().take() + "\n";
    }

private:
    JsonWriter& event(std::string_view phase, std::string_view name, std::int64_t at, int lane) {
        json_.begin_object();
        return json_.member("ph", phase)
            .member("name", name)
            .member("ts", at)
            .member("pid", process)
            .member("tid", lane);
    }

    void name(std::string_view what, int lane, const std::string& text) {
        event("M", what, 0, lane).key("args").begin_object().member("name", text).end_object().end_object();
    }

    int lane_of(const RecordedSpan& span) {
        auto& lanes = lanes_[static_cast<std::size_t>(span.stage)];
        auto free = std::find_if(lanes.begin(), lanes.end(), [&](std::int64_t end) { return end <= span.begin; });
        if (free == lanes.end()) free = lanes.insert(lanes.end(), 0);
        *free = std::max(span.end, span.begin + 1);
        const auto row = static_cast<int>(free - lanes.begin());
        return (static_cast<int>(span.stage) + 1) * lanes_per_stage + row;
    }

    void write_span(const RecordedSpan& span) {
        event("X", span.subject, span.begin, lane_of(span));
        json_.member("cat", to_string(span.stage)).member("dur", span.end - span.begin);
        json_.key("args").begin_object().member("outcome", outcome_word(span.outcome));
        if (span.total > 0) json_.member("total", span.total);
        if (span.first >= 0) json_.member("first_after_ms", static_cast<double>(span.first - span.begin) / 1000);
        json_.end_object().end_object();
    }

    void name_lanes() {
        for (int stage = 0; stage < stage_count; ++stage) {
            const auto count = static_cast<int>(lanes_[static_cast<std::size_t>(stage)].size());
            for (int row = 0; row < count; ++row) {
                const int lane = (stage + 1) * lanes_per_stage + row;
                name("thread_name", lane,
                     std::string(to_string(static_cast<Stage>(stage))) + ' ' + std::to_string(row + 1));
                event("M", "thread_sort_index", 0, lane).key("args").begin_object().member("sort_index", lane);
                json_.end_object().end_object();
            }
        }
    }

    /// How many are at work in each stage, as a counter.
    void write_work() {
        std::map<std::int64_t, std::array<int, stage_count>> changes;
        for (const auto& span : recording_.spans) {
            ++changes[span.begin][static_cast<std::size_t>(span.stage)];
            --changes[span.end][static_cast<std::size_t>(span.stage)];
        }
        std::array<int, stage_count> now{};
        for (const auto& [at, change] : changes) {
            event("C", "at work", at, 0).key("args").begin_object();
            for (int stage = 0; stage < stage_count; ++stage) {
                auto& count = now[static_cast<std::size_t>(stage)];
                count += change[static_cast<std::size_t>(stage)];
                json_.member(to_string(static_cast<Stage>(stage)), count);
            }
            json_.end_object().end_object();
        }
    }

    void write_rate() {
        std::map<std::int64_t, double> steps; ///< bytes in each step
        for (const auto& part : recording_.bytes) {
            const std::int64_t first = part.begin / rate_step, last = part.end / rate_step;
            const double share = static_cast<double>(part.amount) / static_cast<double>(last - first + 1);
            for (std::int64_t step = first; step <= last; ++step) steps[step] += share;
            steps.try_emplace(last + 1, 0);
        }
        for (const auto& [step, bytes] : steps) {
            event("C", "MB/s", step * rate_step, 0).key("args").begin_object();
            json_.member("received", bytes / static_cast<double>(rate_step)).end_object().end_object();
        }
    }

    void write_note(const RecordedNote& note) {
        event("i", note.text, note.at, 0).member("s", "g").member("cat", "note").end_object();
    }

    const Recording& recording_;
    JsonWriter json_{0};
    std::array<std::vector<std::int64_t>, stage_count> lanes_; ///< when each becomes free
};

} // namespace

std::string chrome_trace(const Recording& recording, const std::string& command_line) {
    return TraceWriter(recording).write(command_line);
}

} // namespace taipan::cli
