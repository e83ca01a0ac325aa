// `create` over an existing environment must not lose it when the new one fails. So the old one is renamed, the new
// one made, and only then the old one deleted. A kill in between leaves `<prefix>.taipan-replaced`, and the next
// command on that prefix puts it back. A lock beside the prefix tells an interrupted replacement from one that is going
// on.

#include "flow/replaced_prefix.hpp"

#include <cerrno>
#include <cstdio>

#include "prefix/prefix_data.hpp"

namespace taipan {

namespace {

constexpr double patience_seconds = 600;

std::string lock_path(const std::string& prefix) {
    return std::string(parent_path(prefix)) + "/." + std::string(base_name(prefix)) + ".taipan-lock";
}

std::string aside_path(const std::string& prefix) { return prefix + ".taipan-replaced"; }

/// With the lock held.
Result<bool> put_back(const std::string& prefix) {
    if (!is_directory(aside_path(prefix))) return false;
    TAIPAN_CHECK(remove_tree(prefix));
    if (::rename(aside_path(prefix).c_str(), prefix.c_str()) != 0) {
        return system_error(errno, "cannot move the former environment back to", prefix);
    }
    return true;
}

} // namespace

Result<NewPrefixClaim> NewPrefixClaim::make(const std::string& prefix, bool replace) {
    TAIPAN_CHECK(make_directories(std::string(parent_path(prefix))));
    TAIPAN_TRY(FileLock lock, FileLock::acquire(lock_path(prefix), patience_seconds));
    NewPrefixClaim claim(prefix, std::move(lock));
    TAIPAN_TRY(const bool restored, put_back(prefix));
    static_cast<void>(restored);
    if (!is_environment(prefix)) return claim;
    if (!replace) return make_error(ErrorCode::environment_exists, "prefix already exists: " + prefix);
    if (::rename(prefix.c_str(), aside_path(prefix).c_str()) != 0) {
        return system_error(errno, "cannot move aside the environment", prefix);
    }
    claim.replaced_ = true;
    return claim;
}

NewPrefixClaim::NewPrefixClaim(NewPrefixClaim&& other) noexcept
    : prefix_(std::move(other.prefix_)),
      lock_(std::move(other.lock_)),
      replaced_(std::exchange(other.replaced_, false)) {}

NewPrefixClaim::~NewPrefixClaim() {
    // If this fails the old environment is still there under its other name, and the next command tries again.
    if (replaced_) static_cast<void>(static_cast<bool>(put_back(prefix_)));
}

Result<void> NewPrefixClaim::succeed() {
    if (!std::exchange(replaced_, false)) return {};
    // Renamed first: half of it must not be taken for an environment to put back.
    const std::string doomed = prefix_ + ".taipan-removed";
    TAIPAN_CHECK(remove_tree(doomed));
    if (::rename(aside_path(prefix_).c_str(), doomed.c_str()) != 0) {
        return system_error(errno, "cannot remove the former environment", aside_path(prefix_));
    }
    return remove_tree(doomed);
}

Result<bool> restore_replaced_environment(const std::string& prefix) {
    if (!is_directory(aside_path(prefix))) return false;
    const auto lock = FileLock::acquire(lock_path(prefix), 0);
    if (!lock) return false; // it is being replaced right now
    return put_back(prefix);
}

} // namespace taipan
