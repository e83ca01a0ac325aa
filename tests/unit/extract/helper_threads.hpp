#pragma once

#include <atomic>
#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include "base/crew.hpp"

namespace taipan::test {

/// Plain threads as helpers. They claim to be idle always, so that every piece of work is offered to them.
class HelperThreads final : public TaskRunner {
public:
    explicit HelperThreads(int count) {
        for (int i = 0; i < count; ++i) threads_.emplace_back([this] { serve(); });
    }
    HelperThreads(const HelperThreads&) = delete;
    HelperThreads& operator=(const HelperThreads&) = delete;
    ~HelperThreads() override {
        {
            const std::scoped_lock guard(mutex_);
            closed_ = true;
        }
        changed_.notify_all();
        for (auto& thread : threads_) thread.join();
    }
    [[nodiscard]] int idle() const noexcept override { return 1; }
    [[nodiscard]] int others() const noexcept override { return static_cast<int>(threads_.size()); }
    void run(std::function<void()> task) override {
        {
            const std::scoped_lock guard(mutex_);
            tasks_.push_back(std::move(task));
        }
        ++started;
        changed_.notify_one();
    }
    std::atomic<int> started{0};

private:
    void serve() {
        std::unique_lock guard(mutex_);
        while (true) {
            changed_.wait(guard, [this] { return closed_ || !tasks_.empty(); });
            if (tasks_.empty()) return;
            const auto task = std::move(tasks_.front());
            tasks_.pop_front();
            guard.unlock();
            task();
            guard.lock();
        }
    }

    std::mutex mutex_;
    std::condition_variable changed_;
    std::deque<std::function<void()>> tasks_;
    bool closed_ = false;
    std::vector<std::thread> threads_;
};

/// Keeps every task until it is told to run them: helpers that come too late.
class LateHelpers final : public TaskRunner {
public:
    [[nodiscard]] int idle() const noexcept override { return 1; }
    [[nodiscard]] int others() const noexcept override { return 4; }
    void run(std::function<void()> task) override { tasks.push_back(std::move(task)); }
    std::vector<std::function<void()>> tasks;
};

} // namespace taipan::test
