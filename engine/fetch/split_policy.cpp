// When is one connection the limit? It cannot be seen on the connection itself: a server that sends slowly and a line
// that is full look the same. What tells them apart is the rest of the run: if several connections together were much
// faster than all is now, the line can do more. Where the run has not shown that yet, one more connection shows it, and
// is used only when it would save seconds. Either way more are added step by step, and only as long as each step
// brought about what it should have. At the end of a run, when connections are free and nothing waits for them, there
// is no time for steps.

#include "fetch/split_policy.hpp"

#include <algorithm>

namespace taipan {

namespace {

constexpr std::uint64_t smallest_rest = std::uint64_t{8} << 20U;
constexpr double settled_after = 0.8;      ///< seconds; slow start and the bursts of rate limiters are over
constexpr double still_growing = 1.25;     ///< against the half second before
constexpr double worth_it_seconds = 1.5;   ///< left to go, when the line is known to have room
constexpr double worth_trying_seconds = 5; ///< the same when that is a guess
constexpr double line_is_full = 0.75;      ///< of what several connections got
constexpr double step_shows_after = 0.9;   ///< seconds until added connections are at their speed
constexpr double step_was_good = 0.5;      ///< of what the added ones would get if they were like the others
constexpr int first_step = 3;
/// Rest of the download that each connection should have, so that it is worth its start.
constexpr double seconds_each = 0.4;

constexpr std::uint64_t smallest_rest_at_end = std::uint64_t{2} << 20U;
constexpr std::uint64_t each_at_end = std::uint64_t{1} << 20U; ///< of the rest, for each connection
constexpr int most_at_end = 8;
constexpr double begun_at_end = 0.3;     ///< seconds; slow start is over
constexpr double worth_it_at_end = 0.25; ///< seconds left to go
constexpr double straggles = 1.6;        ///< against the time that everything together needs

int most_connections(const DownloadView& download, double connection_rate) {
    const double each = std::max(connection_rate * seconds_each, 1.0);
    return static_cast<int>(std::min(static_cast<double>(download.remaining) / each, 64.0));
}

/// The end of a run: every download has its connection, and one of them would go on long after what is left of all
/// could have been there at the rate that the line has shown. TCP gives each connection its share of a full line, and
/// takes seconds to give one of them more when the others are gone.
int more_at_end(const DownloadView& download, const LineView& line) {
    if (download.added > 0 || line.peak_of_several <= 0) return 0;
    if (download.remaining < smallest_rest_at_end || download.age < begun_at_end || download.recent_rate <= 0) return 0;
    const double alone = static_cast<double>(download.remaining) / download.recent_rate;
    const double together = static_cast<double>(line.remaining) / line.peak_of_several;
    if (alone < worth_it_at_end || alone < straggles * together) return 0;
    const auto useful = static_cast<int>(download.remaining / each_at_end) - download.connections;
    return std::clamp((line.free_slots + 1) / 2, 0, std::clamp(useful, 0, most_at_end));
}

} // namespace

SplitDecision decide_split(const DownloadView& download, const LineView& line) {
    if (!download.splittable) return {};
    const bool free_connection = line.waiting == 0 && line.free_slots > 0; // else others have a better use for it
    if (const int more = free_connection ? more_at_end(download, line) : 0; more > 0) return {more, false};
    if (download.remaining < smallest_rest) return {};
    if (download.added > 0) {
        if (download.added_ago < step_shows_after) return {};
        const double expected = download.connection_rate_before_then * download.added;
        if (line.rate < download.total_before_then + step_was_good * expected) return {0, true};
    }
    if (!free_connection) return {};
    if (download.age < settled_after || download.rate <= 0) return {};
    if (download.added == 0 && download.rate > still_growing * download.earlier_rate) return {};

    const double connection_rate = download.rate / std::max(download.connections, 1);
    const double seconds_left = static_cast<double>(download.remaining) / download.rate;
    const int room = std::min(line.free_slots, most_connections(download, connection_rate) - download.connections);
    if (room <= 0 || seconds_left < worth_it_seconds) return {};
    if (download.added > 0) return {room, false}; // the last step was good
    const bool known_room = line.rate < line_is_full * line.peak_of_several;
    if (known_room) return {std::min(room, first_step), false};
    const bool known_full = line.peak_of_several > 0 && line.connections == 1;
    if (known_full || seconds_left < worth_trying_seconds) return {};
    return {1, false};
}

} // namespace taipan
