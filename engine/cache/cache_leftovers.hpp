#pragma once

#include <ctime>
#include <string>
#include <vector>

#include "base/filesystem.hpp"

namespace taipan {

/// Tells the runs that use a cache from those that were killed. A run holds a lock on one byte of `.taipan.lock`, the
/// one of its run number, which the kernel gives up with the process: also for processes of other containers and
/// machines. Where the file system has no locks, age decides.
class RunLocks {
public:
    explicit RunLocks(const std::string& cache_directory);
    /// Takes the lock of this process, after a moment's wait for whoever clears the cache. Failing means that others
    /// judge by age.
    void hold() const;
    /// Keeps every run out, whether it is known or begins meanwhile, until `let_runs_in`; for what takes entries out of
    /// the cache. False while another one uses the cache. True where there are no locks, too.
    [[nodiscard]] bool try_keep_runs_out() const;
    void let_runs_in() const;
    /// Whether the run that made a temporary entry, changed at `modified`, has ended.
    [[nodiscard]] bool has_ended(long run, std::time_t modified, std::time_t now) const;
    /// `.taipan.lock`, open for reading and writing; empty when it cannot be.
    [[nodiscard]] const UniqueFd& file() const { return file_; }

private:
    UniqueFd file_;
};

/// What killed runs have left in a cache, in its indexes and in its bytecode: paths below the cache directory, sorted.
[[nodiscard]] std::vector<std::string> find_leftovers(const std::string& cache_directory, const RunLocks& locks,
                                                      std::time_t now);

} // namespace taipan
