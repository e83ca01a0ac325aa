#pragma once

// The only door to libsolv: its headers, and owners for its handles.
//
// libsolv is C and has a member called `requires`, a keyword since C++20; it is renamed while its headers are read
// (the layout stays the same).

#include <cstdio>
#include <memory>

#define requires solv_requires
extern "C" {
#include <solv/pool.h>
#include <solv/queue.h>
#include <solv/repo.h>
#include <solv/solver.h>
}
#undef requires

namespace taipan::solve_detail {

struct FreePool {
    void operator()(::Pool* pool) const { pool_free(pool); }
};
struct FreeSolver {
    void operator()(::Solver* solver) const { solver_free(solver); }
};
using PoolHandle = std::unique_ptr<::Pool, FreePool>;
using SolverHandle = std::unique_ptr<::Solver, FreeSolver>;

/// A libsolv queue of ids.
class IdQueue {
public:
    IdQueue() { queue_init(&queue_); }
    IdQueue(const IdQueue&) = delete;
    IdQueue& operator=(const IdQueue&) = delete;
    ~IdQueue() { queue_free(&queue_); }
    ::Queue* get() { return &queue_; }
    void push(Id id) { queue_push(&queue_, id); }
    void push(Id first, Id second) { queue_push2(&queue_, first, second); }
    [[nodiscard]] const Id* begin() const { return queue_.elements; }
    [[nodiscard]] const Id* end() const { return queue_.elements + queue_.count; }
    [[nodiscard]] int size() const { return queue_.count; }

private:
    ::Queue queue_;
};

} // namespace taipan::solve_detail
