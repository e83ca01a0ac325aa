// `create` over an existing environment must not lose it when the new one fails. So the old one is renamed, the new
// one made, and only then the old one deleted. A kill in between leaves `<prefix>.taipan-replaced`, and the next
// command on that prefix puts it back. What is to be deleted is renamed first, since half of it must not be taken for
// an environment. A lock beside the prefix tells an interrupted replacement from one that is going on.

#include "flow/replaced_prefix.hpp"

#include <cerrno>
#include <cstdio>

#include <sys/stat.h>
#include <unistd.h>

#include "prefix/journal.hpp"
#include "prefix/prefix_data.hpp"

namespace taipan {

namespace {

constexpr double patience_seconds = 600;

/// Whether the directory is there and cannot be renamed, only filled and emptied: it is a mount point, or lies where we
/// may not write.
bool is_fixed(const std::string& prefix) {
    const std::string parent(parent_path(prefix));
    struct stat inner {
    }, outer{};
    if (!is_directory(prefix) || ::stat(prefix.c_str(), &inner) != 0 || ::stat(parent.c_str(), &outer) != 0)
        return false;
    return inner.st_dev != outer.st_dev || ::access(parent.c_str(), W_OK | X_OK) != 0;
}

std::string aside_path(const std::string& prefix) { return prefix + ".taipan-replaced"; }
std::string doomed_path(const std::string& prefix) { return prefix + ".taipan-removed"; }

/// Takes the directory away at once, then deletes it.
Result<void> delete_renamed(const std::string& path, const std::string& prefix) {
    const std::string doomed = doomed_path(prefix);
    TAIPAN_CHECK(remove_tree(doomed));
    if (::rename(path.c_str(), doomed.c_str()) != 0) return system_error(errno, "cannot remove", path);
    return remove_tree(doomed);
}

/// With the lock held.
Result<bool> put_back(const std::string& prefix) {
    if (!is_directory(aside_path(prefix))) return false;
    if (exists(prefix)) TAIPAN_CHECK(delete_renamed(prefix, prefix));
    if (::rename(aside_path(prefix).c_str(), prefix.c_str()) != 0) {
        return system_error(errno, "cannot move the former environment back to", prefix);
    }
    return true;
}

} // namespace

Result<NewPrefixClaim> NewPrefixClaim::make(const std::string& prefix, bool replace) {
    TAIPAN_CHECK(make_directories(std::string(parent_path(prefix))));
    TAIPAN_TRY(FileLock lock, FileLock::acquire(claim_lock_path(prefix), patience_seconds));
    NewPrefixClaim claim(prefix, std::move(lock));
    TAIPAN_TRY(const bool restored, put_back(prefix));
    static_cast<void>(restored);
    if (!is_environment(prefix)) return claim;
    if (!replace) return make_error(ErrorCode::environment_exists, "prefix already exists: " + prefix);
    if (is_fixed(prefix)) {
        return make_error(
            ErrorCode::not_writable,
            "the environment " + prefix +
                " cannot be replaced, since the directory cannot be renamed (it "
                "is a mount point, or its parent cannot be written); remove it with `taipan env remove` first");
    }
    // Not under the hands of a command that changes it.
    TAIPAN_TRY(const FileLock change, FileLock::acquire(prefix + '/' + prefix_lock_path, patience_seconds));
    if (::rename(prefix.c_str(), aside_path(prefix).c_str()) != 0) {
        return system_error(errno, "cannot move aside the environment", prefix);
    }
    claim.replaced_ = true;
    static_cast<void>(::unlink((aside_path(prefix) + '/' + prefix_lock_path).c_str())); // else the next command does it
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
    return delete_renamed(aside_path(prefix_), prefix_);
}

std::string claim_lock_path(const std::string& prefix) {
    const std::string parent(parent_path(prefix));
    if (is_directory(prefix) && ::access(parent.c_str(), W_OK | X_OK) != 0) return prefix + '/' + inner_claim_lock;
    return parent + "/." + std::string(base_name(prefix)) + ".taipan-lock";
}

bool has_interrupted_replacement(const std::string& prefix) {
    return exists(claim_lock_path(prefix)) || exists(aside_path(prefix)) || exists(doomed_path(prefix));
}

Result<bool> restore_replaced_environment(const std::string& prefix) {
    TAIPAN_CHECK(remove_tree(doomed_path(prefix)));
    return put_back(prefix);
}

Result<void> delete_prefix(const std::string& prefix) {
    if (!is_fixed(prefix)) return delete_renamed(prefix, prefix);
    return remove_new_prefix(prefix, true); // a kill leaves half of it, but still an environment that can be removed
}

} // namespace taipan
