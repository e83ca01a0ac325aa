#pragma once

#include <string>

#include "base/filesystem.hpp"
#include "base/result.hpp"

namespace taipan {

/// The right to make or remove an environment at a place: excludes other processes, and keeps an environment that is
/// being replaced until its successor is complete.
class NewPrefixClaim {
public:
    /// Waits for another process that makes an environment there. `replace`: an environment that exists is moved to
    /// `<prefix>.taipan-replaced`; otherwise it is ErrorCode::environment_exists.
    static Result<NewPrefixClaim> make(const std::string& prefix, bool replace);
    NewPrefixClaim(NewPrefixClaim&& other) noexcept;
    NewPrefixClaim& operator=(NewPrefixClaim&&) = delete;
    NewPrefixClaim(const NewPrefixClaim&) = delete;
    NewPrefixClaim& operator=(const NewPrefixClaim&) = delete;
    /// Puts the old environment back, unless `succeed` was called.
    ~NewPrefixClaim();

    /// The new environment is complete: the old one is deleted.
    Result<void> succeed();

private:
    NewPrefixClaim(std::string prefix, FileLock lock) : prefix_(std::move(prefix)), lock_(std::move(lock)) {}
    std::string prefix_;
    FileLock lock_;
    bool replaced_ = false;
};

/// The lock file of claims; lies beside the prefix, or in it where nothing can be made beside it.
[[nodiscard]] std::string claim_lock_path(const std::string& prefix);
/// Whether a process was, or is, about to replace or remove the environment.
[[nodiscard]] bool has_interrupted_replacement(const std::string& prefix);
/// Puts back an environment whose replacement was interrupted by a kill, and deletes what is left of one that was
/// being deleted. The caller holds the claim's lock. True when an environment came back.
Result<bool> restore_replaced_environment(const std::string& prefix);
/// Deletes the environment, directory and all: renamed first, so that no kill leaves half of it. A directory that
/// cannot be renamed is emptied. The caller holds the claim's lock.
Result<void> delete_prefix(const std::string& prefix);

} // namespace taipan
