#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "base/event.hpp"

namespace taipan {

/// One piece of work on one subject, as `Span` or a pair of begin() and end() told it. Times are microseconds since the
/// recording began.
struct RecordedSpan {
    enum class Outcome : std::uint8_t { succeeded, failed, unfinished };
    Stage stage = Stage::index;
    std::string subject;
    std::int64_t begin = 0, end = 0;
    std::int64_t first = -1; ///< when the first amount was reported (the first byte of a download); -1: never
    std::uint64_t total = 0; ///< as announced at its begin
    Outcome outcome = Outcome::unfinished;
};

/// So much was done of a subject between two moments.
struct RecordedAmount {
    Stage stage = Stage::fetch;
    std::int64_t begin = 0, end = 0;
    std::uint64_t amount = 0;
};

struct RecordedNote {
    std::int64_t at = 0;
    Severity severity = Severity::info;
    std::string text;
};

/// What happened in a run: plain data, for `--timings` and `--trace`.
struct Recording {
    std::chrono::system_clock::time_point started;
    std::int64_t length = 0;           ///< until it was taken, in microseconds
    std::vector<RecordedSpan> spans;   ///< by begin
    std::vector<RecordedAmount> bytes; ///< of downloads, by end
    std::vector<RecordedNote> notes;
};

/// A sink that remembers what it is told and hands it on to another one.
class Recorder final : public EventSink {
public:
    /// `next` outlives it.
    explicit Recorder(EventSink& next);

    void begin(Stage stage, std::string_view subject, std::uint64_t total) override;
    void advance(Stage stage, std::string_view subject, std::uint64_t done) override;
    void end(Stage stage, std::string_view subject, bool ok) override;
    void note(Severity severity, std::string_view text) override;

    /// All until now. What has not ended counts as unfinished and ends now.
    [[nodiscard]] Recording recording() const;

private:
    struct Active {
        RecordedSpan span;
        std::int64_t counted_at = 0;
        std::uint64_t done = 0;
    };
    using Key = std::pair<Stage, std::string>;
    [[nodiscard]] std::int64_t now() const;
    void count(Active& active, std::int64_t now, std::uint64_t done);
    void close(Active& active, std::int64_t now, RecordedSpan::Outcome outcome);

    EventSink& next_;
    const std::chrono::steady_clock::time_point started_;
    mutable std::mutex mutex_;
    std::map<Key, Active> active_;
    Recording recording_;
};

} // namespace taipan
