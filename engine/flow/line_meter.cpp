#include "flow/line_meter.hpp"

#include <algorithm>

namespace taipan {

namespace {

constexpr double kept_seconds = 1.3;
constexpr int several = 3;
constexpr int samples_of_half_a_second = 10;

double seconds(MeterTime from, MeterTime to) { return std::chrono::duration<double>(to - from).count(); }

} // namespace

void RateWindow::sample(MeterTime now, std::uint64_t bytes) {
    if (!samples_.empty() && bytes < samples_.back().bytes) samples_.clear(); // it starts over
    samples_.push_back({now, bytes});
    while (samples_.size() > 2 && seconds(samples_.front().at, now) > kept_seconds) samples_.pop_front();
}

double RateWindow::span() const { return samples_.empty() ? 0 : seconds(samples_.front().at, samples_.back().at); }

double RateWindow::between(double from_seconds, double to_seconds) const {
    if (span() < from_seconds) return 0;
    const auto at_least_ago = [&](double ago) {
        auto found = samples_.end() - 1;
        while (found != samples_.begin() && seconds(found->at, samples_.back().at) < ago) --found;
        return found;
    };
    const auto from = at_least_ago(from_seconds), to = at_least_ago(to_seconds);
    const double time = seconds(from->at, to->at);
    return time > 0 ? static_cast<double>(to->bytes - from->bytes) / time : 0;
}

void DownloadMeter::sample(MeterTime now, std::uint64_t received, bool begun) {
    if (!begun) return;
    if (!std::exchange(begun_, true)) begun_at_ = now;
    window_.sample(now, received);
}

DownloadView DownloadMeter::view(MeterTime now, const Transfer& transfer) const {
    DownloadView view;
    view.splittable = transfer.can_split();
    const std::uint64_t size = transfer.request().expected_size;
    view.remaining = size - std::min(size, transfer.received());
    view.rate = window_.rate();
    view.recent_rate = window_.recent_rate();
    view.earlier_rate = window_.earlier_rate();
    view.age = begun_ ? seconds(begun_at_, now) : 0;
    view.connections = transfer.connections();
    view.added = added_;
    view.added_ago = added_ > 0 ? seconds(added_at_, now) : 0;
    view.total_before_then = total_before_;
    view.connection_rate_before_then = connection_rate_before_;
    return view;
}

void DownloadMeter::note_step(MeterTime now, int added, double total_rate, int connections) {
    added_ = added;
    added_at_ = now;
    total_before_ = total_rate;
    connection_rate_before_ = window_.rate() / std::max(connections, 1);
}

void LineMeter::sample(MeterTime now, std::uint64_t received, int connections) {
    window_.sample(now, received);
    several_for_ = connections >= several ? several_for_ + 1 : 0;
    if (several_for_ > samples_of_half_a_second) peak_of_several_ = std::max(peak_of_several_, window_.rate());
}

LineView LineMeter::view() const {
    LineView view;
    view.rate = window_.rate();
    view.recent_rate = window_.recent_rate();
    view.peak_of_several = peak_of_several_;
    return view;
}

} // namespace taipan
