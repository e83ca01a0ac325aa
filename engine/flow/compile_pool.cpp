// Problem: byte-compiling takes many times as long as linking, and the interpreter that does it is itself one of the
// packages being linked.
// Approach: modules wait in a heap, the largest first, until the interpreter's own packages are there; then processes
// take batches from it, which become smaller towards the end so that none of them is left alone with a long rest. While
// other packages are still fetched and linked the processes are nice to that work; a long rest is left to others.
// What must hold: no process outlives the pool; a failure before everything is linked is none yet, since packages may
// need more than they say. Where memory is short an interpreter is killed: what it was at waits until all else is done,
// and is then compiled one by one with nothing beside it; what still kills an interpreter that has done nothing else is
// given up.

#include "flow/compile_pool.hpp"

#include <algorithm>
#include <exception>
#include <iterator>
#include <utility>

#include <unistd.h>

namespace taipan {

namespace {

/// Not worth a process of its own.
constexpr std::size_t smallest_share = 8;
/// What a module costs besides its size, as bytes of source.
constexpr std::uint64_t module_overhead = 1024;
/// Bytes of a batch: about a tenth of a second of work, and what costs no more than asking for it.
constexpr std::uint64_t largest_batch = 512 << 10, smallest_batch = 16 << 10;
/// Bytes that take many times as long as starting an interpreter.
constexpr std::uint64_t worth_restarting = 2 << 20;
/// Modules that may kill an interpreter, before it is the interpreter that is at fault.
constexpr std::size_t most_given_up = 32;
constexpr std::size_t most_named = 5;

std::uint64_t weight_of(const PycItem& item) { return item.source_size + module_overhead; }

} // namespace

CompilePool::CompilePool(PycRun run, int size, EventSink& sink, const std::atomic<bool>& stop)
    : run_(std::move(run)), size_(static_cast<std::size_t>(std::max(1, size))), sink_(sink), stop_(stop) {
    run_.stopped = [this] {
        return abandoned_.load(std::memory_order_relaxed) || stop_.load(std::memory_order_relaxed);
    };
}

CompilePool::~CompilePool() {
    abandoned_.store(true);
    join_threads();
    for (const Package& package : packages_) {
        if (package.begun && package.settled < package.modules) sink_.end(Stage::compile, package.name, false);
    }
}

void CompilePool::push(Job job) {
    weight_ += weight_of(job.item);
    jobs_.push_back(std::move(job));
    std::push_heap(jobs_.begin(), jobs_.end(),
                   [](const Job& a, const Job& b) { return a.item.source_size < b.item.source_size; });
}

void CompilePool::set_python(const PythonInfo& python) {
    const std::scoped_lock guard(mutex_);
    run_.python = python;
}

void CompilePool::add(std::string subject, std::vector<PycItem> items) {
    if (items.empty()) return;
    const std::scoped_lock guard(mutex_);
    packages_.push_back({std::move(subject), items.size(), 0, false});
    for (PycItem& item : items) push({packages_.size() - 1, std::move(item)});
    start_threads();
    changed_.notify_all();
}

void CompilePool::open() {
    const std::scoped_lock guard(mutex_);
    open_ = true;
    start_threads();
}

/// To be called with the mutex held.
void CompilePool::start_threads() {
    if (!open_ || broken_ || jobs_.empty() || run_.stopped()) return;
    const std::size_t wanted = std::clamp<std::size_t>(jobs_.size() / smallest_share, 1, size_);
    while (threads_.size() < wanted) {
        threads_.emplace_back([this] { serve(); });
    }
}

void CompilePool::serve() try {
    while (true) {
        PycRun run = run_;
        {
            const std::scoped_lock guard(mutex_);
            run.gently = !finishing_;
        }
        auto compiler = PycCompiler::start(run);
        if (!compiler) {
            fail(std::move(compiler).error(), {});
            return;
        }
        if (!serve_with(*std::move(compiler), run.gently)) return;
    }
} catch (const std::exception& failure) {
    fail(make_error(ErrorCode::internal, failure.what()), {});
}

/// True when the rest is to be done by another interpreter: this one was killed, or should not be held back any more.
bool CompilePool::serve_with(PycCompiler compiler, bool gently) {
    std::vector<Job> batch;
    try {
        for (batch = next_batch(gently); !batch.empty(); batch = next_batch(gently)) {
            std::vector<PycItem> items;
            items.reserve(batch.size());
            for (const Job& job : batch) items.push_back(job.item);
            const auto done = compiler.compile(items);
            if (!done)
                return compiler.killed() ? set_aside(done.error(), std::move(batch))
                                         : fail(done.error(), std::move(batch));
            {
                const std::scoped_lock guard(mutex_);
                compiled_ += *done;
            }
            settle(batch);
        }
    } catch (const std::exception& failure) {
        return fail(make_error(ErrorCode::internal, failure.what()), std::move(batch));
    }
    const std::scoped_lock guard(mutex_);
    return gently && finishing_ && !jobs_.empty() && !broken_ && !run_.stopped();
}

/// Waits for work; empty when there is none and will be none, or when it is better done by another interpreter.
std::vector<CompilePool::Job> CompilePool::next_batch(bool gently) {
    std::unique_lock guard(mutex_);
    changed_.wait(guard, [&] { return !jobs_.empty() || finishing_ || broken_ || run_.stopped(); });
    std::vector<Job> batch;
    if (broken_ || run_.stopped()) return batch;
    if (gently && finishing_ && weight_ > worth_restarting) return batch;
    const std::uint64_t share = std::clamp(weight_ / (2 * size_), smallest_batch, largest_batch);
    for (std::uint64_t taken = 0; taken < share && !jobs_.empty();) {
        std::pop_heap(jobs_.begin(), jobs_.end(),
                      [](const Job& a, const Job& b) { return a.item.source_size < b.item.source_size; });
        taken += weight_of(jobs_.back().item);
        batch.push_back(std::move(jobs_.back()));
        jobs_.pop_back();
    }
    for (const Job& job : batch) {
        weight_ -= weight_of(job.item);
        Package& package = packages_[job.package];
        if (!std::exchange(package.begun, true)) sink_.begin(Stage::compile, package.name, package.modules);
    }
    return batch;
}

void CompilePool::settle(const std::vector<Job>& batch) {
    const std::scoped_lock guard(mutex_);
    for (const Job& job : batch) {
        Package& package = packages_[job.package];
        if (++package.settled == package.modules) sink_.end(Stage::compile, package.name, true);
    }
}

/// An interpreter was killed at this batch. True: others are to go on without it. Before everything is linked that is a
/// failure like others, and it is then tried again with more memory.
bool CompilePool::set_aside(Error error, std::vector<Job> batch) {
    {
        const std::scoped_lock guard(mutex_);
        if (finishing_) {
            std::move(batch.begin(), batch.end(), std::back_inserter(alone_));
            return true;
        }
    }
    return fail(std::move(error), std::move(batch));
}

/// One module after the other, when nothing else is going on.
Result<void> CompilePool::compile_alone() {
    std::vector<Job> alone;
    {
        const std::scoped_lock guard(mutex_);
        alone.swap(alone_);
    }
    std::optional<PycCompiler> compiler;
    std::vector<std::string> given_up;
    for (const Job& job : alone) {
        TAIPAN_TRY(const bool survived, survives(compiler, job));
        if (!survived) {
            given_up.push_back(job.item.source);
            static_cast<void>(::unlink((run_.prefix + '/' + job.item.pyc).c_str())); // it may be there in part
        }
        settle({job});
        if (given_up.size() > most_given_up) return *error_;
    }
    if (!given_up.empty()) tell_of(given_up);
    error_.reset();
    return {};
}

/// False when the module kills even an interpreter that has compiled nothing before.
Result<bool> CompilePool::survives(std::optional<PycCompiler>& compiler, const Job& job) {
    for (bool fresh = false; !fresh;) {
        fresh = !compiler;
        if (fresh) {
            auto started = PycCompiler::start(run_);
            if (!started) return std::move(started).error();
            compiler.emplace(*std::move(started));
        }
        const auto done = compiler->compile({&job.item, 1});
        if (done) {
            const std::scoped_lock guard(mutex_);
            compiled_ += *done;
            return true;
        }
        if (!compiler->killed()) return done.error();
        error_ = done.error();
        compiler.reset();
    }
    return false;
}

void CompilePool::tell_of(const std::vector<std::string>& given_up) {
    std::string names;
    for (std::size_t i = 0; i < std::min(given_up.size(), most_named); ++i) names += (i == 0 ? "" : ", ") + given_up[i];
    if (given_up.size() > most_named) names += " and " + std::to_string(given_up.size() - most_named) + " more";
    sink_.note(Severity::warning, "no bytecode was made of " + names +
                                      ": python was killed when it compiled them, as happens when memory runs out");
}

/// Ends the pool's work, at least until everything is linked: false.
bool CompilePool::fail(Error error, std::vector<Job> unfinished) {
    const std::scoped_lock guard(mutex_);
    broken_ = true;
    if (!error_) error_ = std::move(error);
    for (Job& job : unfinished) push(std::move(job));
    changed_.notify_all();
    return false;
}

void CompilePool::join_threads() {
    std::vector<std::thread> threads;
    {
        const std::scoped_lock guard(mutex_);
        threads.swap(threads_);
    }
    changed_.notify_all();
    for (auto& thread : threads) thread.join();
}

Result<std::uint64_t> CompilePool::finish() {
    for (int attempt = 0; attempt < 2; ++attempt) { // what failed before everything was linked gets a second chance
        {
            const std::scoped_lock guard(mutex_);
            open_ = finishing_ = true;
            start_threads();
        }
        join_threads();
        const std::scoped_lock guard(mutex_);
        finishing_ = false;
        if (stop_.load()) return make_error(ErrorCode::cancelled, "compiling the Python sources was interrupted");
        if (!broken_) break;
        if (attempt > 0) return *error_;
        broken_ = false;
        error_.reset();
    }
    TAIPAN_CHECK(compile_alone());
    return std::exchange(compiled_, 0);
}

} // namespace taipan
