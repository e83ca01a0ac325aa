#include "flow/session.hpp"

#include <algorithm>
#include <cstdint>

#include <sched.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "flow/network.hpp"

namespace taipan {

namespace {

/// What affinity and the control group leave of the machine.
int available_cores(const CgroupLimits& limits) {
    cpu_set_t set;
    CPU_ZERO(&set);
    int cores = ::sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : 1;
    if (limits.cores) cores = std::min(cores, static_cast<int>(std::min(*limits.cores + 0.5, 1e6)));
    return std::max(1, cores);
}

} // namespace

StopSource::StopSource() : wake_fd_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {}

StopSource::~StopSource() {
    if (wake_fd_ >= 0) ::close(wake_fd_);
}

void StopSource::request_stop() noexcept {
    stopped_.store(true, std::memory_order_relaxed);
    const std::uint64_t one = 1;
    // A full counter means that it is readable already.
    if (wake_fd_ >= 0) static_cast<void>(!::write(wake_fd_, &one, sizeof one));
}

Session::Session(Config config, EventSink& sink, StopSource& stop)
    : config_(std::move(config)),
      sink_(sink),
      stop_(stop),
      limits_(read_cgroup_limits()),
      workers_(config_.worker_threads > 0 ? config_.worker_threads : available_cores(limits_)) {}

Session::~Session() = default;

Result<Network*> Session::network() {
    if (config_.offline) {
        return make_error(ErrorCode::offline, "this needs the network, but --offline (or `offline: true`) forbids it");
    }
    if (!network_) {
        TAIPAN_TRY(network_, Network::start(config_, limits_, stop_));
    }
    return network_.get();
}

} // namespace taipan
