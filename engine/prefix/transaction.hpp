#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/fault_point.hpp"
#include "base/result.hpp"

namespace taipan {

/// The undo of one run on one prefix. Whatever is changed is told to it first; unless `commit` is reached, the
/// prefix becomes what it was. For an existing prefix a journal in `conda-meta/.taipan-trash` lets the next run do the
/// same after a SIGKILL (`recover`). Methods may be called from several threads. Paths are relative to the prefix.
class Transaction {
public:
    /// On an existing environment. Fails with corrupt_environment when an earlier run's journal is there: call
    /// `recover` first.
    static Result<Transaction> begin(const std::string& prefix, FaultPoint fault_point = {});
    /// On a prefix that is to be made: undoing removes everything in it (and the directory, if it is not there
    /// now), so nothing needs to be recorded. Creates the directory.
    static Result<Transaction> begin_new(const std::string& prefix, FaultPoint fault_point = {});

    Transaction(Transaction&&) noexcept;
    Transaction& operator=(Transaction&&) = delete;
    Transaction(const Transaction&) = delete;
    Transaction& operator=(const Transaction&) = delete;
    ~Transaction(); ///< rolls back unless committed

    [[nodiscard]] const std::string& prefix() const;
    [[nodiscard]] int prefix_fd() const;
    [[nodiscard]] bool is_new() const;
    /// A directory of the prefix's file system whose content goes with the run.
    [[nodiscard]] int scratch_fd() const;
    /// Its path, for what is moved from there into the prefix.
    [[nodiscard]] std::string scratch_directory() const;

    /// These files are about to be created. None of them may exist: set those aside first.
    Result<void> created(const std::vector<std::string>& paths);
    /// This file is about to be written on to: on rollback it becomes as long as it is now.
    Result<void> appending(const std::string& path);
    /// These directories are about to be created, parents first. To be followed by `created`, which makes it durable.
    Result<void> created_directories(const std::vector<std::string>& paths);
    /// Moves these files (or directories) out of the way; they come back on rollback. Missing ones are skipped.
    Result<void> set_aside(const std::vector<std::string>& paths);
    /// On commit these directories, and then their parents, are removed if they are empty.
    void remove_if_empty(const std::vector<std::string>& directories);

    /// The point of no return: drops what was set aside.
    Result<void> commit();
    /// Undoes everything, last change first. Goes on after errors and reports the first.
    Result<void> rollback();

    enum class Recovery { nothing, rolled_back, rolled_forward };
    /// Repairs what a killed run left behind: undone if it had not reached `commit`, finished if it had. The caller
    /// must hold the prefix's lock.
    static Result<Recovery> recover(const std::string& prefix, const FaultPoint& fault_point = {});

private:
    struct State;
    explicit Transaction(std::unique_ptr<State> state);
    std::unique_ptr<State> state_;
};

} // namespace taipan
