#pragma once

#include <functional>
#include <memory>

namespace taipan {

/// Workers that a stage may ask for help with its own work. Stages start no threads: engine/flow implements this on its
/// arena. Thread-safe.
class TaskRunner {
public:
    TaskRunner() = default;
    TaskRunner(const TaskRunner&) = delete;
    TaskRunner& operator=(const TaskRunner&) = delete;
    virtual ~TaskRunner() = default;

    /// How many workers have nothing to do at the moment: a hint, out of date at once.
    [[nodiscard]] virtual int idle() const noexcept = 0;
    /// How many workers there are besides the calling one.
    [[nodiscard]] virtual int others() const noexcept = 0;
    /// Runs `task`, which does not throw, on some worker at some time.
    virtual void run(std::function<void()> task) = 0;
};

/// The helpers of one thread that has work to share: idle workers join in while there is some, and nothing depends on
/// whether any of them ever comes.
class Crew {
public:
    /// `work_once` does one piece of work and returns true, or returns false when there is none to take; it is called
    /// by several threads at once, does not throw, and never waits for another thread. `runner` may be null.
    Crew(TaskRunner* runner, std::function<bool()> work_once);
    Crew(const Crew&) = delete;
    Crew& operator=(const Crew&) = delete;
    /// Waits for the helpers at work, which finish the piece they have.
    ~Crew();

    /// Whether somebody helps, or is about to: a hint.
    [[nodiscard]] bool helped() const;
    /// There is new work: lets another idle worker join. For the owning thread.
    void call();

private:
    struct State;
    TaskRunner* runner_;
    std::shared_ptr<State> state_; ///< outlives the crew in tasks that start late and find it closed
};

} // namespace taipan
