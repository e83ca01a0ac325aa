#include "flow/session.hpp"

#include <algorithm>
#include <cstdint>
#include <fstream>
#include <string>

#include <sched.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/filesystem.hpp"
#include "flow/network.hpp"

namespace taipan {

namespace {

/// Whole cores of a cgroup quota (v2 `cpu.max`, v1 `cpu.cfs_*`), 0 when there is none.
int cgroup_cores() {
    if (auto limit = read_file("/sys/fs/cgroup/cpu.max", 4096)) {
        const std::size_t blank = limit->find(' ');
        if (blank == std::string::npos || limit->starts_with("max")) return 0;
        const double quota = std::strtod(limit->c_str(), nullptr);
        const double period = std::strtod(limit->c_str() + blank, nullptr);
        return period > 0 ? std::max(1, static_cast<int>(quota / period + 0.5)) : 0;
    }
    const auto quota = read_file("/sys/fs/cgroup/cpu/cpu.cfs_quota_us", 4096);
    const auto period = read_file("/sys/fs/cgroup/cpu/cpu.cfs_period_us", 4096);
    if (!quota || !period) return 0;
    const double cores = std::strtod(quota->c_str(), nullptr) / std::max(1.0, std::strtod(period->c_str(), nullptr));
    return cores > 0 ? std::max(1, static_cast<int>(cores + 0.5)) : 0;
}

int available_cores() {
    cpu_set_t set;
    CPU_ZERO(&set);
    int cores = ::sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : 1;
    if (const int quota = cgroup_cores(); quota > 0) cores = std::min(cores, quota);
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
      workers_(config_.worker_threads > 0 ? config_.worker_threads : available_cores()) {}

Session::~Session() = default;

Result<Network*> Session::network() {
    if (config_.offline) {
        return make_error(ErrorCode::offline, "this needs the network, but --offline (or `offline: true`) forbids it");
    }
    if (!network_) {
        TAIPAN_TRY(network_, Network::start(config_, stop_));
    }
    return network_.get();
}

} // namespace taipan
