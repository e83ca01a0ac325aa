#include "base/recorder.hpp"

#include <algorithm>
#include <utility>

namespace taipan {

Recorder::Recorder(EventSink& next) : next_(next), started_(std::chrono::steady_clock::now()) {
    recording_.started = std::chrono::system_clock::now();
}

std::int64_t Recorder::now() const {
    return std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::steady_clock::now() - started_).count();
}

void Recorder::count(Active& active, std::int64_t now, std::uint64_t done) {
    if (done < active.done) active.done = 0; // it starts over
    if (done == active.done) return;
    if (active.span.first < 0) active.span.first = active.counted_at = now;
    if (active.span.stage == Stage::fetch || active.span.stage == Stage::index) {
        recording_.bytes.push_back({active.span.stage, active.counted_at, now, done - active.done});
    }
    active.counted_at = now;
    active.done = done;
}

void Recorder::close(Active& active, std::int64_t now, RecordedSpan::Outcome outcome) {
    active.span.end = now;
    active.span.outcome = outcome;
    recording_.spans.push_back(std::move(active.span));
}

void Recorder::begin(Stage stage, std::string_view subject, std::uint64_t total) {
    {
        const std::scoped_lock guard(mutex_);
        const std::int64_t at = now();
        auto [active, fresh] = active_.try_emplace(Key(stage, subject));
        if (!fresh) close(active->second, at, RecordedSpan::Outcome::failed); // it is tried again
        active->second = {{stage, std::string(subject), at, at, -1, total, RecordedSpan::Outcome::unfinished}, at, 0};
    }
    next_.begin(stage, subject, total);
}

void Recorder::advance(Stage stage, std::string_view subject, std::uint64_t done) {
    {
        const std::scoped_lock guard(mutex_);
        const auto active = active_.find(Key(stage, subject));
        if (active != active_.end()) count(active->second, now(), done);
    }
    next_.advance(stage, subject, done);
}

void Recorder::end(Stage stage, std::string_view subject, bool ok) {
    {
        const std::scoped_lock guard(mutex_);
        const auto active = active_.find(Key(stage, subject));
        if (active != active_.end()) {
            close(active->second, now(), ok ? RecordedSpan::Outcome::succeeded : RecordedSpan::Outcome::failed);
            active_.erase(active);
        }
    }
    next_.end(stage, subject, ok);
}

void Recorder::note(Severity severity, std::string_view text) {
    {
        const std::scoped_lock guard(mutex_);
        recording_.notes.push_back({now(), severity, std::string(text)});
    }
    next_.note(severity, text);
}

Recording Recorder::recording() const {
    const std::scoped_lock guard(mutex_);
    Recording result = recording_;
    result.length = now();
    for (const auto& [key, active] : active_) {
        RecordedSpan span = active.span;
        span.end = result.length;
        result.spans.push_back(std::move(span));
    }
    std::stable_sort(result.spans.begin(), result.spans.end(),
                     [](const RecordedSpan& a, const RecordedSpan& b) { return a.begin < b.begin; });
    return result;
}

} // namespace taipan
