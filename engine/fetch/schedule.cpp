#include "fetch/schedule.hpp"

#include <algorithm>
#include <numeric>

namespace taipan {

namespace {

constexpr int slots_for_small = 4; ///< one in so many
constexpr double crowd = 8;        ///< so many downloads at work halve what the next one gets
/// A mirror of unknown speed is tried with downloads up to this size.
constexpr std::uint64_t largest_trial = std::uint64_t{4} << 20U;

double seconds_of(const MirrorView& mirror, std::uint64_t size, double best_rate) {
    const bool unknown = mirror.rate <= 0;
    // Unknown ones are as good as the best for what is not large, and slow for what is; one trial at a time.
    const double rate = !unknown ? mirror.rate : best_rate * (size < largest_trial ? 1.0 : 0.25);
    const double crowded = 1.0 + static_cast<double>(mirror.active) / (unknown ? 1.0 : crowd);
    return static_cast<double>(std::max<std::uint64_t>(size, 1)) / rate * crowded;
}

} // namespace

std::size_t next_download(const std::vector<std::uint64_t>& sizes, int small_running, int slots) {
    const bool mixed = sizes.front() < small_download && sizes.back() >= small_download;
    return mixed && small_running < slots / slots_for_small ? 0 : sizes.size() - 1;
}

std::vector<std::size_t> mirror_order(const std::vector<MirrorView>& mirrors, std::uint64_t size) {
    std::vector<std::size_t> order(mirrors.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    double best = 1;
    for (const MirrorView& mirror : mirrors) best = std::max(best, mirror.rate);
    std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
        if (mirrors[a].failures != mirrors[b].failures) return mirrors[a].failures < mirrors[b].failures;
        return seconds_of(mirrors[a], size, best) < seconds_of(mirrors[b], size, best);
    });
    return order;
}

} // namespace taipan
