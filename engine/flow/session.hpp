#pragma once

#include <atomic>
#include <memory>

#include "base/event.hpp"
#include "base/fault_point.hpp"
#include "base/result.hpp"
#include "config/config.hpp"
#include "flow/cgroup.hpp"

namespace taipan {

/// Asks a run to end: by a signal, or by its first error. One per run.
class StopSource {
public:
    StopSource();
    StopSource(const StopSource&) = delete;
    StopSource& operator=(const StopSource&) = delete;
    ~StopSource();

    /// Async-signal-safe: may be called from a signal handler and from any thread, any number of times.
    void request_stop() noexcept;
    [[nodiscard]] bool stop_requested() const noexcept { return stopped_.load(std::memory_order_relaxed); }
    [[nodiscard]] const std::atomic<bool>& flag() const noexcept { return stopped_; }
    /// Becomes readable when a stop was requested; for the network loop to wait on.
    [[nodiscard]] int wake_fd() const noexcept { return wake_fd_; }

private:
    std::atomic<bool> stopped_{false};
    int wake_fd_ = -1;
};

class Network;

/// What the operations of one command share: the settings, where events go, how to stop, and the network thread
/// with its open connections (started when first needed, joined by the destructor).
class Session {
public:
    Session(Config config, EventSink& sink, StopSource& stop);
    Session(const Session&) = delete;
    Session& operator=(const Session&) = delete;
    ~Session();

    [[nodiscard]] const Config& config() const { return config_; }
    [[nodiscard]] EventSink& sink() const { return sink_; }
    [[nodiscard]] StopSource& stop() const { return stop_; }
    /// CPU workers this run may use: the configured number, or what affinity and cgroup quota allow.
    [[nodiscard]] int workers() const { return workers_; }
    Result<Network*> network();
    /// For tests, which end the process there; to be set before anything is begun.
    void set_fault_point(FaultPoint point) { fault_point_ = std::move(point); }
    [[nodiscard]] const FaultPoint& fault_point() const { return fault_point_; }

private:
    Config config_;
    EventSink& sink_;
    StopSource& stop_;
    CgroupLimits limits_;
    int workers_;
    FaultPoint fault_point_;
    std::unique_ptr<Network> network_;
};

} // namespace taipan
