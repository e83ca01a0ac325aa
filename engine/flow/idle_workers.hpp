#pragma once

#include <atomic>
#include <functional>

#include <tbb/flow_graph.h>
#include <tbb/task_arena.h>

#include "base/crew.hpp"

namespace taipan {

/// The workers of an arena that the graph has no package for. A package counts from the moment it is put into the
/// graph, so help is only for packages that nothing else waits behind.
class IdleWorkers final : public TaskRunner {
public:
    /// All three must outlive the last task. The graph is not done before the tasks are.
    IdleWorkers(tbb::flow::graph& graph, tbb::task_arena& arena, int workers)
        : graph_(graph), arena_(arena), workers_(workers) {}

    /// A package goes into the graph, or was worked off.
    void begin_package() noexcept { busy_.fetch_add(1, std::memory_order_acq_rel); }
    void end_package() noexcept { busy_.fetch_sub(1, std::memory_order_acq_rel); }
    /// What was done before `begin_package` (of work that begins here) and `end_package` (of work that ended) is
    /// visible from here on. TBB sees to that anyway, but the thread sanitizer cannot look into TBB.
    void arrive() const noexcept { static_cast<void>(busy_.load(std::memory_order_acquire)); }

    [[nodiscard]] int idle() const noexcept override { return workers_ - busy_.load(std::memory_order_acquire); }
    [[nodiscard]] int others() const noexcept override { return workers_ - 1; }
    void run(std::function<void()> task) override {
        graph_.reserve_wait();
        begin_package();
        arena_.enqueue([this, task = std::move(task)] {
            arrive();
            task();
            end_package();
            graph_.release_wait();
        });
    }

private:
    tbb::flow::graph& graph_;
    tbb::task_arena& arena_;
    const int workers_;
    std::atomic<int> busy_{0};
};

} // namespace taipan
