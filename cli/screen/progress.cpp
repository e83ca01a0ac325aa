#include "screen/progress.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "program/signals.hpp"
#include "screen/text.hpp"

// Counting and timing of what the engine reports. Stages overlap, so a stage's time is the length of the union of its
// items' intervals: it counts while at least one of them is at work.

namespace taipan::cli {

namespace {

double seconds(Clock::duration duration) { return std::chrono::duration<double>(duration).count(); }

/// Sinks that draw nothing: -q and --json.
class QuietProgress final : public Progress {
public:
    using Progress::Progress;

private:
    void changed(const States&, Stage, std::string_view, Change) override {}
};

/// What is said of a stage behind its time.
std::string stage_detail(Stage stage, const StageState& state) {
    const auto packages = counted(state.ended, "package");
    switch (stage) {
    case Stage::fetch: return fmt::format(" ({}, {})", packages, human_bytes(state.amount()));
    case Stage::extract:
    case Stage::link: return fmt::format(" ({})", packages);
    default: return {};
    }
}

} // namespace

std::uint64_t StageState::amount() const {
    std::uint64_t sum = finished_amount;
    for (const auto& [subject, item] : active) sum += item.done;
    return sum;
}

Clock::duration StageState::busy_time(Clock::time_point now) const {
    return active.empty() ? busy : busy + (now - busy_since);
}

Progress::Progress(Console& console, int verbosity)
    : console_(console), verbosity_(verbosity), started_(Clock::now()) {}

void Progress::begin(Stage stage, std::string_view subject, std::uint64_t total) {
    const std::scoped_lock guard(mutex_);
    auto& state = at(stage);
    if (state.active.empty()) state.busy_since = Clock::now();
    // A retried item begins again: it is still one item.
    if (state.active.insert_or_assign(std::string(subject), StageState::Item{total, 0}).second) ++state.begun;
    state.latest = subject;
    if (stage == Stage::solve) end_at_once_on_signal(true);
    if (!silent_) changed(states_, stage, subject, Change::begun);
}

void Progress::advance(Stage stage, std::string_view subject, std::uint64_t done) {
    const std::scoped_lock guard(mutex_);
    auto& state = at(stage);
    const auto item = state.active.find(subject);
    if (item == state.active.end()) return;
    item->second.done = done;
    if (!silent_) changed(states_, stage, subject, Change::advanced);
}

void Progress::end(Stage stage, std::string_view subject, bool ok) {
    const std::scoped_lock guard(mutex_);
    if (stage == Stage::solve) end_at_once_on_signal(false);
    auto& state = at(stage);
    const auto item = state.active.find(subject);
    if (item == state.active.end()) return;
    state.finished_amount += ok && item->second.total > 0 ? item->second.total : item->second.done;
    state.active.erase(item);
    ++(ok ? state.ended : state.failed);
    if (state.active.empty()) state.busy += Clock::now() - state.busy_since;
    state.latest = subject;
    if (!silent_) changed(states_, stage, subject, Change::ended);
}

void Progress::note(Severity severity, std::string_view text) {
    const int needed = severity == Severity::warning ? 0 : severity == Severity::info ? 1 : 2;
    if (verbosity_ < needed) return;
    const std::scoped_lock guard(mutex_);
    if (!silent_) hide();
    const bool colour = severity == Severity::warning && console_.terminal().colour;
    const std::string_view label = severity == Severity::warning ? "warning: " : "";
    console_.print_error(fmt::format("{}{}{}{}\n", colour ? "\x1b[33m" : "", label, colour ? "\x1b[0m" : "", text));
    if (!silent_) show(states_);
}

void Progress::expect(Stage stage, std::uint64_t items, std::uint64_t amount) {
    const std::scoped_lock guard(mutex_);
    at(stage).expected_items = items;
    at(stage).expected_amount = amount;
}

void Progress::pause() {
    const std::scoped_lock guard(mutex_);
    hide();
    silent_ = true;
    paused_at_ = Clock::now();
}

void Progress::resume() {
    const std::scoped_lock guard(mutex_);
    silent_ = false;
    paused_ += Clock::now() - paused_at_;
}

void Progress::refresh() {
    const std::scoped_lock guard(mutex_);
    const bool busy =
        std::any_of(states_.begin(), states_.end(), [](const StageState& state) { return !state.active.empty(); });
    if (busy && !silent_) show(states_);
}

void Progress::finish() {
    const std::scoped_lock guard(mutex_);
    if (!silent_) hide();
    silent_ = true;
}

std::string Progress::summary() {
    const std::scoped_lock guard(mutex_);
    const auto now = Clock::now();
    std::string text = "Done in " + human_seconds(seconds(now - started_ - paused_));
    std::string_view separator = ": ";
    for (int i = 0; i < stage_count; ++i) {
        const auto stage = static_cast<Stage>(i);
        const auto& state = at(stage);
        if (state.begun == 0) continue;
        text += fmt::format("{}{} {}{}", separator, to_string(stage), human_seconds(seconds(state.busy_time(now))),
                            stage_detail(stage, state));
        separator = ", ";
    }
    return text;
}

std::unique_ptr<Progress> make_progress(Console& console, bool quiet, int verbosity, ProgressStream stream) {
    if (quiet) return std::make_unique<QuietProgress>(console, verbosity);
    if (console.terminal().live) return make_terminal_progress(console, verbosity);
    return make_plain_progress(console, verbosity, stream);
}

} // namespace taipan::cli
