#pragma once

#include <cstdint>

namespace taipan {

/// What is known of one download when it is asked whether more connections would help it. Rates are bytes a second,
/// over the last half second and the one before.
struct DownloadView {
    bool splittable = false; ///< large enough to lie in a file, and the server's answer allows for parts
    std::uint64_t remaining = 0;
    double rate = 0, earlier_rate = 0; ///< of all its connections together
    double recent_rate = 0;            ///< over the last fifth of a second
    double age = 0;                    ///< seconds since its first byte
    int connections = 1;
    // What came of the last time that connections were added; 0 added: there was none.
    int added = 0;
    double added_ago = 0;         ///< seconds
    double total_before_then = 0; ///< the run's rate
    double connection_rate_before_then = 0;
};

/// The same of the run.
struct LineView {
    double rate = 0;        ///< of all downloads
    double recent_rate = 0; ///< the same over the last fifth of a second
    /// The highest that it has been while at least three connections were at work; 0: never so many.
    double peak_of_several = 0;
    int connections = 0; ///< at work
    int free_slots = 0;
    int waiting = 0;             ///< downloads that have no connection yet
    std::uint64_t remaining = 0; ///< bytes of all downloads
};

/// What to do about one download.
struct SplitDecision {
    int more_connections = 0;
    bool give_up = false; ///< more connections do not help: do not ask again
};

/// Decides whether a download is held up by what one connection gets, and how many more to use. It never is when the
/// line is the limit: several connections were no faster together than this one is alone, or adding some added nothing.
[[nodiscard]] SplitDecision decide_split(const DownloadView& download, const LineView& line);

} // namespace taipan
