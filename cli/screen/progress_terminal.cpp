#include "screen/progress.hpp"

#include <algorithm>
#include <condition_variable>
#include <csignal>
#include <stop_token>
#include <thread>

#include <unistd.h>

#include <fmt/format.h>

#include "base/filesystem.hpp"
#include "screen/text.hpp"

// Live bars on a terminal. Problem: many threads report thousands of events a second, and a screen that is rewritten
// for each of them flickers and costs more than the work. Approach: events only change the counters of the base class;
// at most ten times a second one frame is made from them and written with a single write, in place of the last one
// (cursor up, each line followed by "erase to the end"), so no half-drawn state is ever seen. A thread that does
// nothing else draws while events stay away (a long solve, a stalled server), so that clocks go on. What must hold: no
// line is wider than the terminal (a wrapped line would break "cursor up"); whoever prints something else calls hide
// first.

namespace taipan::cli {

namespace {

constexpr auto frame_interval = std::chrono::milliseconds(100);
constexpr auto tick_interval = std::chrono::milliseconds(250);
constexpr std::size_t label_width = 9;

double seconds(Clock::duration duration) { return std::chrono::duration<double>(duration).count(); }

std::string bar(double part, std::size_t width, bool unicode) {
    const auto filled = static_cast<std::size_t>(std::clamp(part, 0.0, 1.0) * static_cast<double>(width));
    std::string text;
    for (std::size_t i = 0; i < width; ++i) {
        if (unicode)
            text += i < filled ? "\u2588" : "\u2591";
        else
            text += i < filled ? '#' : '.';
    }
    return text;
}

std::string cut(std::string text, std::size_t width) {
    if (text.size() > width) text.resize(width);
    return text;
}

/// A stage without a known end: what it is at.
std::string open_line(Stage stage, const StageState& state, std::size_t width, Clock::time_point now) {
    std::string text =
        fmt::format("{:<{}}{:>7}", to_string(stage), label_width, human_seconds(seconds(state.busy_time(now))));
    if (stage == Stage::index && state.amount() > 0) text += fmt::format("  {:>8}", human_bytes(state.amount()));
    if (!state.active.empty()) text += "  " + state.latest;
    return cut(std::move(text), width);
}

std::string bar_line(Stage stage, const StageState& state, std::size_t width, bool unicode, Clock::time_point now) {
    const bool bytes = stage == Stage::fetch && state.expected_amount > 0;
    const auto done = static_cast<double>(bytes ? state.amount() : state.ended);
    const auto all = static_cast<double>(bytes ? state.expected_amount : state.expected_items);
    std::string right = fmt::format("  {:>3}/{}", state.ended, state.expected_items);
    if (bytes) {
        const double busy = seconds(state.busy_time(now));
        right += fmt::format("  {} / {}", human_bytes(state.amount()), human_bytes(state.expected_amount));
        if (!state.active.empty() && busy > 0.3) {
            right += fmt::format("  {}/s", human_bytes(static_cast<std::uint64_t>(std::max(0.0, done / busy))));
        }
    } else if (!state.active.empty()) {
        right += "  " + state.latest;
    }
    const std::size_t bar_width = std::min<std::size_t>(30, width > 60 ? width / 3 : 10);
    right = cut(std::move(right), width > label_width + bar_width ? width - label_width - bar_width : 0);
    return fmt::format("{:<{}}", to_string(stage), label_width) + bar(all > 0 ? done / all : 0, bar_width, unicode) +
           right;
}

class TerminalProgress final : public Progress {
public:
    TerminalProgress(Console& console, int verbosity)
        : Progress(console, verbosity), ticker_([this](const std::stop_token& stop) { tick(stop); }) {}
    TerminalProgress(const TerminalProgress&) = delete;
    TerminalProgress& operator=(const TerminalProgress&) = delete;
    ~TerminalProgress() override {
        ticker_.request_stop();
        ticker_.join();
        hide();
    }

private:
    void changed(const States& states, Stage, std::string_view, Change change) override {
        const auto now = Clock::now();
        const bool first = drawn_ == 0 && change == Change::begun;
        if (!first && now - last_frame_ < frame_interval) return;
        last_frame_ = now;
        show(states);
    }

    void tick(const std::stop_token& stop) {
        sigset_t all;
        sigfillset(&all);
        // Signals must reach the main thread, where a question or a child process may be waited for. It cannot fail.
        static_cast<void>(::pthread_sigmask(SIG_BLOCK, &all, nullptr));
        std::mutex mutex;
        std::unique_lock lock(mutex);
        std::condition_variable_any timer; // nobody notifies: a wait ends by time, or by the request to stop
        while (!stop.stop_requested()) {
            static_cast<void>(timer.wait_for(lock, stop, tick_interval, [] { return false; }));
            if (!stop.stop_requested()) refresh();
        }
    }

    void show(const States& states) override {
        const auto lines =
            progress_lines(states, console().terminal().width(), console().terminal().unicode, Clock::now());
        std::string frame = start_of_frame();
        for (const auto& line : lines) frame += line + "\x1b[K\n";
        if (lines.size() < drawn_) frame += "\x1b[J";
        drawn_ = lines.size();
        write(frame);
    }

    void hide() override {
        if (drawn_ == 0) return;
        write(start_of_frame() + "\x1b[J");
        drawn_ = 0;
    }

    [[nodiscard]] std::string start_of_frame() const {
        return drawn_ == 0 ? std::string("\r") : fmt::format("\r\x1b[{}A", drawn_);
    }

    /// A terminal that went away is no reason to fail.
    static void write(const std::string& frame) {
        static_cast<void>(static_cast<bool>(write_all(STDERR_FILENO, frame, "terminal")));
    }

    std::size_t drawn_ = 0; ///< lines on the screen that are ours
    Clock::time_point last_frame_;
    std::jthread ticker_; ///< last: it uses the rest
};

} // namespace

std::vector<std::string> progress_lines(const std::array<StageState, stage_count>& states, int width, bool unicode,
                                        Clock::time_point now) {
    const auto columns = static_cast<std::size_t>(std::max(width - 1, 20));
    std::vector<std::string> lines;
    for (int i = 0; i < stage_count; ++i) {
        const auto stage = static_cast<Stage>(i);
        const auto& state = states[static_cast<std::size_t>(i)];
        if (state.begun == 0) continue;
        if (state.expected_items > 0)
            lines.push_back(bar_line(stage, state, columns, unicode, now));
        else
            lines.push_back(open_line(stage, state, columns, now));
    }
    return lines;
}

std::unique_ptr<Progress> make_terminal_progress(Console& console, int verbosity) {
    return std::make_unique<TerminalProgress>(console, verbosity);
}

} // namespace taipan::cli
