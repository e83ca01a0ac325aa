#pragma once

#include <functional>
#include <memory>

#include "base/result.hpp"
#include "fetch/transfer.hpp"
#include "flow/session.hpp"

namespace taipan {

/// The network thread: one io_context, one CurlLoop, one coroutine a transfer. The only bridge between the network
/// and the rest: requests go in by `submit`, results come back through a callback on the network thread.
class Network {
public:
    static Result<std::unique_ptr<Network>> start(const Config& config, const CgroupLimits& limits, StopSource& stop);
    Network(const Network&) = delete;
    Network& operator=(const Network&) = delete;
    /// Stops running transfers and joins the thread.
    ~Network();

    /// Called exactly once for each submitted request, on the network thread: must be quick and not throw.
    using Done = std::function<void(Result<Download>)>;
    /// Queues a transfer; any thread. Of the queued ones, those with the largest expected size start first.
    void submit(TransferRequest request, Done done);
    /// Submits and waits; not on the network thread.
    Result<Download> fetch(TransferRequest request);
    /// Nothing that fans out follows soon: closes connections that were opened in advance.
    void close_spare_connections();

private:
    struct Impl;
    explicit Network(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> impl_;
};

} // namespace taipan
