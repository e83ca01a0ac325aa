#pragma once

#include <chrono>
#include <cstdint>
#include <deque>

#include "fetch/split_policy.hpp"
#include "fetch/transfer.hpp"

namespace taipan {

using MeterTime = std::chrono::steady_clock::time_point;

/// A count of bytes, looked at now and then: how fast it grows.
class RateWindow {
public:
    void sample(MeterTime now, std::uint64_t bytes);
    /// Bytes a second over the last half second, and over the one before; 0 when not known that far back.
    [[nodiscard]] double rate() const { return between(0.5, 0); }
    [[nodiscard]] double recent_rate() const { return between(0.2, 0); }
    [[nodiscard]] double earlier_rate() const { return between(1.0, 0.5); }
    [[nodiscard]] double span() const; ///< seconds between the oldest and the newest sample

private:
    struct Sample {
        MeterTime at;
        std::uint64_t bytes = 0;
    };
    [[nodiscard]] double between(double from_seconds, double to_seconds) const;
    std::deque<Sample> samples_;
};

/// How fast one download is, and what more connections did for it.
class DownloadMeter {
public:
    void sample(MeterTime now, std::uint64_t received, bool begun);
    [[nodiscard]] DownloadView view(MeterTime now, const Transfer& transfer) const;
    void note_step(MeterTime now, int added, double total_rate, int connections);
    void give_up() { given_up_ = true; }
    [[nodiscard]] bool given_up() const { return given_up_; }

private:
    RateWindow window_;
    MeterTime begun_at_;
    bool begun_ = false, given_up_ = false;
    int added_ = 0;
    MeterTime added_at_;
    double total_before_ = 0, connection_rate_before_ = 0;
};

/// How fast everything together is.
class LineMeter {
public:
    void sample(MeterTime now, std::uint64_t received, int connections);
    /// Rates only; connections and slots are the caller's to fill in.
    [[nodiscard]] LineView view() const;

private:
    RateWindow window_;
    double peak_of_several_ = 0;
    int several_for_ = 0; ///< samples in a row with several connections
};

} // namespace taipan
