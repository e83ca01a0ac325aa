#pragma once

#include <atomic>
#include <mutex>
#include <optional>

#include "base/result.hpp"

namespace taipan {

/// Keeps the first error of several workers.
class FirstError {
public:
    void take(Result<void> result) {
        if (result) return;
        const std::scoped_lock guard(mutex_);
        if (!error_) error_ = std::move(result).error();
        any_.store(true, std::memory_order_relaxed);
    }
    /// When all workers are done.
    Result<void> result() {
        if (error_) return std::move(*error_);
        return {};
    }
    [[nodiscard]] bool any() const { return any_.load(std::memory_order_relaxed); }

private:
    std::mutex mutex_;
    std::optional<Error> error_;
    std::atomic<bool> any_{false};
};

} // namespace taipan
