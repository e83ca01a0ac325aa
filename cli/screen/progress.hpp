#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "base/event.hpp"
#include "program/console.hpp"

namespace taipan::cli {

using Clock = std::chrono::steady_clock;

/// What is known of one stage. Amounts are bytes (index, fetch, extract) or files (link, compile, record).
struct StageState {
    std::uint64_t expected_items = 0, expected_amount = 0; ///< 0: not known beforehand
    std::uint64_t begun = 0, ended = 0, failed = 0;
    std::uint64_t finished_amount = 0; ///< of items that have ended
    struct Item {
        std::uint64_t total = 0, done = 0;
    };
    std::map<std::string, Item, std::less<>> active;
    std::string latest;           ///< subject that began or ended last
    Clock::time_point busy_since; ///< when the first of the active items began
    Clock::duration busy{};       ///< wall time with at least one active item, of closed intervals

    [[nodiscard]] std::uint64_t amount() const; ///< done so far, active items included
    [[nodiscard]] Clock::duration busy_time(Clock::time_point now) const;
};

/// Renders the engine's events. This base only counts and times; derived ones draw from its small state. All methods
/// may be called from any thread.
class Progress : public EventSink {
public:
    /// `verbosity`: 0 warnings, 1 also infos, 2 everything.
    Progress(Console& console, int verbosity);

    void begin(Stage stage, std::string_view subject, std::uint64_t total) final;
    void advance(Stage stage, std::string_view subject, std::uint64_t done) final;
    void end(Stage stage, std::string_view subject, bool ok) final;
    void note(Severity severity, std::string_view text) final;

    /// How much work a stage will have, once the plan is known.
    void expect(Stage stage, std::uint64_t items, std::uint64_t amount);
    /// Time until resume() does not count: a question is being asked. Nothing is drawn meanwhile.
    void pause();
    void resume();
    /// Takes everything that is live off the screen; later events draw nothing. For results and errors.
    void finish();
    /// `Done in 2.1 s: index 0.1 s, fetch 1.2 s (12 packages, 30 MB), ...`
    [[nodiscard]] std::string summary();

protected:
    using States = std::array<StageState, stage_count>;
    enum class Change { begun, advanced, ended };
    /// Called with the lock held.
    virtual void changed(const States& states, Stage stage, std::string_view subject, Change change) = 0;
    virtual void hide() {}              ///< takes live lines off the screen
    virtual void show(const States&) {} ///< draws them again
    [[nodiscard]] Console& console() { return console_; }
    /// Draws again if something is at work, for clocks that go on without events.
    void refresh();

private:
    StageState& at(Stage stage) { return states_[static_cast<std::size_t>(stage)]; }

    Console& console_;
    int verbosity_;
    std::mutex mutex_;
    States states_;
    Clock::time_point started_, paused_at_;
    Clock::duration paused_{};
    bool silent_ = false;
};

/// Where the lines of a log go. conda and mamba write them to stdout, and what watches them takes stderr for trouble:
/// setup-miniconda makes a warning of each line.
enum class ProgressStream { errors, output };

/// Live bars on a terminal, plain lines in a log, or nothing, whichever fits.
[[nodiscard]] std::unique_ptr<Progress> make_progress(Console& console, bool quiet, int verbosity,
                                                      ProgressStream stream = ProgressStream::errors);

std::unique_ptr<Progress> make_terminal_progress(Console& console, int verbosity);
std::unique_ptr<Progress> make_plain_progress(Console& console, int verbosity, ProgressStream stream);

/// The live lines for a state: one a stage that is or was at work, none wider than `width` columns. Pure.
[[nodiscard]] std::vector<std::string> progress_lines(const std::array<StageState, stage_count>& states, int width,
                                                      bool unicode, Clock::time_point now);

} // namespace taipan::cli
