// What must hold: a task that was handed to the runner touches nothing of the owner once the crew is gone, since the
// runner may start it at any later time; and a helper that is about to leave because it found no work sees work that
// was announced meanwhile.

#include "base/crew.hpp"

#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <utility>

namespace taipan {

struct Crew::State {
    explicit State(std::function<bool()> work) : work_once(std::move(work)) {}

    void help() {
        std::unique_lock guard(mutex);
        --asked;
        if (closed) return;
        ++working;
        for (std::uint64_t seen = 0; !closed && seen != announced;) {
            seen = announced;
            guard.unlock();
            while (!leaving() && work_once()) {
            }
            guard.lock();
        }
        --working;
        if (working == 0) idle.notify_all();
    }
    bool leaving() {
        const std::scoped_lock guard(mutex);
        return closed;
    }

    const std::function<bool()> work_once;
    std::mutex mutex;
    std::condition_variable idle;
    std::uint64_t announced = 0; ///< how often there was new work
    int asked = 0;               ///< tasks that the runner has not started yet
    int working = 0;
    bool closed = false;
};

Crew::Crew(TaskRunner* runner, std::function<bool()> work_once)
    : runner_(runner), state_(std::make_shared<State>(std::move(work_once))) {}

Crew::~Crew() {
    std::unique_lock guard(state_->mutex);
    state_->closed = true;
    state_->idle.wait(guard, [this] { return state_->working == 0; });
}

bool Crew::helped() const {
    const std::scoped_lock guard(state_->mutex);
    return state_->asked + state_->working > 0;
}

void Crew::call() {
    if (runner_ == nullptr) return;
    {
        const std::scoped_lock guard(state_->mutex);
        ++state_->announced;
        // One task at a time is on its way, so that a busy runner does not collect them.
        if (state_->asked > 0 || state_->working >= runner_->others() || runner_->idle() <= 0) return;
        ++state_->asked;
    }
    runner_->run([state = state_] { state->help(); });
}

} // namespace taipan
