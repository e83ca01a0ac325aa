#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace taipan {

/// Below this a download is over before its connection has come up to speed: waiting for the answer is what takes time.
inline constexpr std::uint64_t small_download = std::uint64_t{256} << 10U;

/// Which waiting download begins next. `sizes` of the waiting ones are in ascending order and not empty;
/// `small_running` of the `slots` are at small ones. The largest goes first, since it takes longest; but a part of the
/// slots takes the smallest ones, so that their round trips are over while large ones fill the line, and the end is not
/// a long row of downloads that leave it empty.
[[nodiscard]] std::size_t next_download(const std::vector<std::uint64_t>& sizes, int small_running, int slots);

/// What is known of a mirror.
struct MirrorView {
    double rate = 0;  ///< bytes a second that one connection gets; 0: not known yet
    int active = 0;   ///< downloads at work
    int failures = 0; ///< since the last success
};

/// In which order mirrors are asked for a download of this size (0: not known): one that works before one that fails,
/// then the one that will bring it soonest. Mirrors of unknown speed are tried with downloads that are not large,
/// where a slow one does no harm. Among equals the given order stays.
[[nodiscard]] std::vector<std::size_t> mirror_order(const std::vector<MirrorView>& mirrors, std::uint64_t size);

} // namespace taipan
