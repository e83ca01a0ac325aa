#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "base/event.hpp"
#include "base/result.hpp"
#include "link/pyc.hpp"

namespace taipan {

/// The interpreters of one run: at most `size` processes, with a thread each, that compile what is added as soon as the
/// pool is open. Each package is one Span of Stage::compile. Methods may be called from several threads, `finish` from
/// one.
class CompilePool {
public:
    /// `run.stopped` and `run.gently` are the pool's own business.
    CompilePool(PycRun run, int size, EventSink& sink, const std::atomic<bool>& stop);
    CompilePool(const CompilePool&) = delete;
    CompilePool& operator=(const CompilePool&) = delete;
    ~CompilePool(); ///< ends the processes, whatever they are at

    /// Another interpreter than was said first; before the pool is open.
    void set_python(const PythonInfo& python);
    /// Modules of the package `subject`; their `__pycache__` directories exist.
    void add(std::string subject, std::vector<PycItem> items);
    /// The interpreter seems to be complete. Until `finish` it runs with a lower priority, and if it fails
    /// nevertheless, compiling just waits for `finish`.
    void open();
    /// All packages are linked: compiles what is left and waits for it. Returns how many modules have been compiled
    /// since the last call; more may be added afterwards. A module that kills its interpreter, which needs too much
    /// memory most of the time, is left without bytecode and named in a warning.
    Result<std::uint64_t> finish();

private:
    struct Package {
        std::string name;
        std::size_t modules = 0, settled = 0;
        bool begun = false;
    };
    struct Job {
        std::size_t package = 0;
        PycItem item;
    };
    void serve();
    bool serve_with(PycCompiler compiler, bool gently);
    Result<void> compile_alone();
    Result<bool> survives(std::optional<PycCompiler>& compiler, const Job& job);
    bool set_aside(Error error, std::vector<Job> batch);
    void tell_of(const std::vector<std::string>& given_up);
    void start_threads();
    void join_threads();
    std::vector<Job> next_batch(bool gently);
    void settle(const std::vector<Job>& batch);
    bool fail(Error error, std::vector<Job> unfinished);
    void push(Job job);

    PycRun run_;
    std::size_t size_;
    EventSink& sink_;
    const std::atomic<bool>& stop_;
    std::atomic<bool> abandoned_{false};

    std::mutex mutex_; // guards what follows
    std::condition_variable changed_;
    std::deque<Package> packages_;
    std::vector<Job> jobs_;  ///< a heap, the largest source on top
    std::vector<Job> alone_; ///< one of them, or all together, killed an interpreter
    std::uint64_t weight_ = 0;
    bool open_ = false, finishing_ = false, broken_ = false;
    std::optional<Error> error_;
    std::uint64_t compiled_ = 0;
    std::vector<std::thread> threads_;
};

} // namespace taipan
