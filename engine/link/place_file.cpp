// Problem: an environment is tens of thousands of small files; each system call more per file is felt, and a file
// that already exists must never be written through, because it may be a hard link into the cache.
// Approach: each file is one linkat. Where no symlink can be on the way (directories that this run made, packages that
// are known to be contained), names are paths from the package and the prefix; else source and target directory are
// opened as handles, once a group, by a way that does not leave the tree. A link that the kernel refuses (other
// device, link limit, protection) becomes a copy of that file.
// What must hold: files come to be only under names that are free (O_EXCL, linkat, symlinkat); nothing outside of
// package and prefix is reached; nothing in the package directory is changed.

#include "link/place_file.hpp"

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstdio>
#include <iterator>
#include <optional>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/beneath.hpp"
#include "base/copy_file.hpp"
#include "base/digest.hpp"
#include "base/filesystem.hpp"
#include "base/temporary_name.hpp"
#include "link/layer_probe.hpp"
#include "link/prefix_rewrite.hpp"

namespace taipan {

namespace {

/// Refusals after which the file is copied instead (conda-spec 3.1).
bool link_refused(int errno_value) {
    return errno_value == EXDEV || errno_value == EPERM || errno_value == EACCES || errno_value == EMLINK ||
           errno_value == EOPNOTSUPP || errno_value == ENOSYS || errno_value == EINVAL;
}

/// Carries out actions of one plan; keeps the buffer for rewriting from file to file.
class Placer {
public:
    Placer(const LinkPlan& plan, const PlaceContext& context) : plan_(plan), context_(context) {}

    Result<void> open(const LinkGroup& group) {
        group_ = &group;
        target_.reset();
        source_.reset(); // opened by the first action that has a source
        if (context_.made != nullptr && context_.made->contains(group.target_directory)) return {};
        TAIPAN_TRY(target_, open_directory_beneath(context_.prefix_fd, group.target_directory, context_.prefix));
        return {};
    }

    Result<void> place(std::uint32_t index) {
        const LinkAction& action = plan_.actions[index];
        const std::string& path = plan_.paths[action.path].entry.path;
        path_ = &path;
        target_at_ = target_ ? target_.get() : context_.prefix_fd;
        target_name_ = target_ ? path.c_str() + (path.size() - base_name(path).size()) : path.c_str();
        if (action.kind != PlaceKind::entry_point) TAIPAN_CHECK(find_source(action));
        for (int attempt = 0; attempt < 3; ++attempt) {
            TAIPAN_TRY(const bool made, make(action));
            if (made) return {};
            switch (context_.on_existing) {
            case OnExisting::report: placed_.existing.push_back(index); return {};
            case OnExisting::fail:
                return make_error(ErrorCode::clobber, plan_.package + " wants to install " + context_.prefix + '/' +
                                                          path + ", which exists already");
            case OnExisting::replace: TAIPAN_CHECK(remove_target(path)); break;
            }
        }
        return make_error(ErrorCode::io, "cannot create " + context_.prefix + '/' + path +
                                             ": something else keeps creating it; end other programs that use the "
                                             "environment and try again");
    }

    PlacedFiles take() { return std::move(placed_); }

private:
    /// Sets `source_at_` and `source_name_`.
    Result<void> find_source(const LinkAction& action) {
        const std::string_view name = action.source_name.empty() ? base_name(*path_) : action.source_name;
        if (!context_.contained) {
            if (!source_) TAIPAN_CHECK(open_source_directory());
            source_at_ = source_.get();
            source_name_ = name.data(); // the end of a string
            return {};
        }
        source_at_ = context_.package_fd;
        source_path_ = context_.package_path;
        if (!source_path_.empty() && !group_->source_directory.empty()) source_path_ += '/';
        source_path_ += group_->source_directory;
        if (!source_path_.empty()) source_path_ += '/';
        source_path_ += name;
        source_name_ = source_path_.c_str();
        return {};
    }

    Result<void> open_source_directory() {
        source_ = open_directory_beneath(context_.package_fd, group_->source_directory);
        if (source_) return {};
        if (errno != ENOENT && errno != ENOTDIR && errno != EXDEV) {
            return system_error(errno, "cannot open directory", context_.package_dir + '/' + group_->source_directory);
        }
        return make_error(ErrorCode::corrupt_package, "package " + plan_.package + " has no directory " +
                                                          group_->source_directory +
                                                          ", in which its paths.json lists "
                                                          "files; remove " +
                                                          context_.package_dir + " and try again");
    }

    /// False: the target exists already.
    Result<bool> make(const LinkAction& action) {
        switch (action.kind) {
        case PlaceKind::hard_link: return context_.move ? move(placed_.hard_links) : hard_link();
        case PlaceKind::copy: return context_.move ? move(placed_.copies) : copy();
        case PlaceKind::soft_link: return soft_link();
        case PlaceKind::symlink: return context_.move ? move(placed_.symlinks) : symlink();
        case PlaceKind::rewrite_text:
        case PlaceKind::rewrite_binary: return rewrite(action);
        case PlaceKind::entry_point: return entry_point(action);
        }
        return make_error(ErrorCode::internal, "unknown link action");
    }

    Result<bool> hard_link() {
        if (!links_refused_) {
            if (::linkat(source_at_, source_name_, target_at_, target_name_, 0) == 0) {
                ++placed_.hard_links;
                return true;
            }
            if (errno == EEXIST) return false;
            if (errno == ENOENT) return missing();
            if (!link_refused(errno)) return system_error(errno, "cannot link", shown());
            links_refused_ = errno == EXDEV; // holds for the whole package, the others only for this file
        }
        return copy();
    }

    /// The file itself; never over one that exists.
    Result<bool> move(std::uint64_t& count) {
        if (rename_to_free_name()) {
            ++count;
            return true;
        }
        if (errno == EEXIST) return false;
        if (errno != ENOENT) return system_error(errno, "cannot move into place", shown());
        struct stat status {}; // listed twice, and moved by the first line
        if (::fstatat(target_at_, target_name_, &status, AT_SYMLINK_NOFOLLOW) == 0) return false;
        return missing();
    }

    /// False, and errno says why.
    bool rename_to_free_name() {
#ifdef RENAME_NOREPLACE
        if (!renames_refused_) {
            if (::renameat2(source_at_, source_name_, target_at_, target_name_, RENAME_NOREPLACE) == 0) return true;
            renames_refused_ = errno == EINVAL || errno == ENOSYS || errno == EPERM; // network file systems, sandboxes
            if (!renames_refused_) return false;
        }
#endif
        if (::linkat(source_at_, source_name_, target_at_, target_name_, 0) == 0) {
            ::unlinkat(source_at_, source_name_, 0); // if not, it goes with the rest
            return true;
        }
        return link_refused(errno) && rename_over_own_file();
    }

    /// The name is taken first by an empty file, which only succeeds where there is none. False, and errno says why.
    bool rename_over_own_file() {
        if (!UniqueFd(::openat(target_at_, target_name_, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600))) return false;
        if (::renameat(source_at_, source_name_, target_at_, target_name_) == 0) return true;
        const int reason = errno;
        ::unlinkat(target_at_, target_name_, 0);
        errno = reason;
        return false;
    }

    Result<bool> copy() {
        TAIPAN_TRY(const SourceFile source, open_source_file(source_at_, source_name_, source_shown()));
        return copy_from(source);
    }

    Result<bool> copy_from(const SourceFile& source) {
        const UniqueFd target = create_target_file(target_at_, target_name_, source.status.st_mode);
        if (!target) {
            if (errno == EEXIST) return false;
            return system_error(errno, "cannot create", shown());
        }
        TAIPAN_CHECK(discard_on_error(copy_content(source, target.get(), shown(), &clones_)));
        ++placed_.copies;
        placed_.copied_bytes += static_cast<std::uint64_t>(source.status.st_size);
        return true;
    }

    Result<bool> soft_link() {
        struct stat status {};
        if (::fstatat(source_at_, source_name_, &status, AT_SYMLINK_NOFOLLOW) != 0) return missing();
        if ((status.st_mode & 0111U) != 0 || !S_ISREG(status.st_mode)) return copy();
        return symlink_to(source_shown());
    }

    /// A second name for the package's symlink is as good as a new one, and half the work.
    Result<bool> symlink() {
        if (plan_.link_type == LinkType::hardlink && !links_refused_ && !context_.settled) {
            if (::linkat(source_at_, source_name_, target_at_, target_name_, 0) == 0) {
                ++placed_.symlinks;
                return true;
            }
            if (errno == EEXIST) return false;
            links_refused_ = errno == EXDEV;
        }
        return new_symlink();
    }

    Result<bool> new_symlink() {
        std::string text(PATH_MAX, '\0');
        const ssize_t length = ::readlinkat(source_at_, source_name_, text.data(), text.size());
        if (length < 0) {
            if (errno == EINVAL) return hard_or_copy(); // listed as a symlink, shipped as a file
            if (errno == ENOENT) return missing();
            return system_error(errno, "cannot read the link", source_shown());
        }
        text.resize(static_cast<std::size_t>(length));
        return symlink_to(text);
    }

    Result<bool> hard_or_copy() { return plan_.link_type == LinkType::hardlink ? hard_link() : copy(); }

    Result<bool> symlink_to(const std::string& text) {
        if (::symlinkat(text.c_str(), target_at_, target_name_) == 0) {
            ++placed_.symlinks;
            return true;
        }
        if (errno == EEXIST) return false;
        return system_error(errno, "cannot create the symlink", shown());
    }

    Result<bool> rewrite(const LinkAction& action) {
        const PathEntry& entry = plan_.paths[action.path].entry;
        TAIPAN_TRY(const SourceFile source, open_source_file(source_at_, source_name_, source_shown()));
        TAIPAN_CHECK(read_content(source, buffer_, source_shown()));
        auto changed = rewrite_prefix(buffer_, entry.placeholder, plan_.new_prefix, entry.mode, plan_.platform);
        if (!changed) {
            return std::move(changed).context("while replacing the prefix in " + entry.path + " of " + plan_.package);
        }
        // Also when another package's file is there: the record says what this one's would be.
        placed_.digests.emplace_back(action.path, sha256_hex(buffer_));
        const UniqueFd target = create_target_file(target_at_, target_name_, source.status.st_mode);
        if (!target) {
            if (errno == EEXIST) return false;
            return system_error(errno, "cannot create", shown());
        }
        TAIPAN_CHECK(discard_on_error(write_all(target.get(), buffer_, shown())));
        TAIPAN_CHECK(discard_on_error(copy_mode(source, target.get(), shown())));
        if (!*changed || context_.settled)
            copy_times(source, target.get()); // a changed file is a new one, its mtime says so
        if (context_.move)
            ::unlinkat(source_at_, source_name_, 0); // two of each would need more space than there may be
        ++placed_.rewritten;
        return true;
    }

    Result<bool> entry_point(const LinkAction& action) {
        const std::size_t first = plan_.paths.size() - plan_.entry_points.size();
        const UniqueFd target = create_target_file(target_at_, target_name_, 0666);
        if (!target) {
            if (errno == EEXIST) return false;
            return system_error(errno, "cannot create", shown());
        }
        TAIPAN_CHECK(discard_on_error(write_all(target.get(), plan_.entry_points[action.path - first].text, shown())));
        struct stat status {}; // what the umask left of 0666, plus execution for all
        if (::fstat(target.get(), &status) != 0 || ::fchmod(target.get(), (status.st_mode & 0777U) | 0111U) != 0) {
            return discard_on_error(system_error(errno, "cannot set the mode of", shown())).error();
        }
        ++placed_.entry_points;
        return true;
    }

    /// A half-written file must not stay, also when nobody undoes the rest.
    Result<void> discard_on_error(Result<void> result) {
        if (!result) ::unlinkat(target_at_, target_name_, 0);
        return result;
    }

    Result<void> remove_target(const std::string& path) {
        if (::unlinkat(target_at_, target_name_, 0) == 0 || errno == ENOENT) return {};
        if (errno != EISDIR && errno != EPERM) return system_error(errno, "cannot replace", shown());
        return remove_tree_beneath(path);
    }

    /// A directory is in the way of a file. Its handle has been checked to lie below the prefix.
    Result<void> remove_tree_beneath(const std::string& path) {
        struct stat status {};
        if (::fstatat(target_at_, target_name_, &status, AT_SYMLINK_NOFOLLOW) != 0 || !S_ISDIR(status.st_mode)) {
            return make_error(ErrorCode::not_writable, "cannot replace " + context_.prefix + '/' + path);
        }
        return remove_tree(context_.prefix + '/' + path);
    }

    Error missing() const {
        return make_error(ErrorCode::corrupt_package, "package " + plan_.package + " lists " + source_shown() +
                                                          ", which is not there; remove the directory of the package "
                                                          "and try again");
    }
    [[nodiscard]] std::string shown() const { return context_.prefix + '/' + *path_; }
    [[nodiscard]] std::string source_shown() const {
        std::string text = context_.package_dir + '/';
        if (!group_->source_directory.empty()) text += group_->source_directory + '/';
        text += base_name(source_name_);
        return text;
    }

    const LinkPlan& plan_;
    const PlaceContext& context_;
    const LinkGroup* group_ = nullptr;
    UniqueFd source_, target_; ///< directories of the group; empty where names are paths from the roots
    int source_at_ = -1, target_at_ = -1;
    const std::string* path_ = nullptr; ///< of the target, from the prefix
    std::string source_path_;
    const char* source_name_ = nullptr;
    const char* target_name_ = nullptr;
    bool links_refused_ = false, renames_refused_ = false, clones_ = true;
    std::string buffer_;
    PlacedFiles placed_;
};

/// Whether copies from there to here can share their blocks.
bool can_clone(int package_fd, int prefix_fd, const char* file, const std::string& probe) {
    const auto source = open_source_file(package_fd, file, file);
    if (!source) return false;
    const UniqueFd target = create_target_file(prefix_fd, probe.c_str(), 0600);
    const bool cloned = target && clone_bytes(*source, target.get());
    if (target) ::unlinkat(prefix_fd, probe.c_str(), 0);
    return cloned;
}

bool stopped(const PlaceContext& context) {
    return context.stop != nullptr && context.stop->load(std::memory_order_relaxed);
}

Error cancelled(const LinkPlan& plan) {
    return make_error(ErrorCode::cancelled, "linking " + plan.package + " was interrupted");
}

} // namespace

void PlacedFiles::merge(PlacedFiles&& other) {
    digests.insert(digests.end(), std::make_move_iterator(other.digests.begin()),
                   std::make_move_iterator(other.digests.end()));
    existing.insert(existing.end(), other.existing.begin(), other.existing.end());
    hard_links += other.hard_links;
    copies += other.copies;
    rewritten += other.rewritten;
    symlinks += other.symlinks;
    entry_points += other.entry_points;
    copied_bytes += other.copied_bytes;
}

LinkChoice choose_link_type(int package_fd, int prefix_fd, const LinkPreference& preference, const char* file) {
    if (preference.always_softlink) return {LinkType::softlink, "symlinks were asked for"};
    const std::string probe = temporary_name(".tmp.index.json");
    if (preference.always_copy) {
        return {LinkType::copy, "copying was asked for", can_clone(package_fd, prefix_fd, file, probe)};
    }
    LayerProbe layers(package_fd);
    if (::linkat(package_fd, file, prefix_fd, probe.c_str(), 0) == 0) {
        ::unlinkat(prefix_fd, probe.c_str(), 0);
        if (!layers.link_has_copied()) return {LinkType::hardlink, {}};
        const std::string reason = "hard links would copy the cache, which is in a lower layer of this file system";
        if (preference.allow_softlinks) return {LinkType::softlink, reason};
        return {LinkType::copy, reason, can_clone(package_fd, prefix_fd, file, probe)};
    }
    const int saved = errno;
    const std::string reason = saved == EXDEV ? "the cache is on another file system"
                                              : system_error(saved, "hard links from the cache fail", "here").message;
    if (preference.allow_softlinks) return {LinkType::softlink, reason};
    return {LinkType::copy, reason, can_clone(package_fd, prefix_fd, file, probe)};
}

Result<PlacedFiles> place_groups(const LinkPlan& plan, std::size_t first_group, std::size_t last_group,
                                 const PlaceContext& context) {
    Placer placer(plan, context);
    for (std::size_t g = first_group; g < std::min(last_group, plan.groups.size()); ++g) {
        if (stopped(context)) return cancelled(plan);
        const LinkGroup& group = plan.groups[g];
        TAIPAN_CHECK(placer.open(group));
        for (std::uint32_t i = group.first; i < group.last; ++i) TAIPAN_CHECK(placer.place(i));
    }
    return placer.take();
}

Result<PlacedFiles> place_all(const LinkPlan& plan, const PlaceContext& context) {
    TAIPAN_CHECK(create_directories(plan.directories, context.prefix_fd, context.prefix, context.made));
    return place_groups(plan, 0, plan.groups.size(), context);
}

Result<PlacedFiles> place_actions(const LinkPlan& plan, const std::vector<std::uint32_t>& actions,
                                  const PlaceContext& context) {
    Placer placer(plan, context);
    for (const std::uint32_t index : actions) {
        if (stopped(context)) return cancelled(plan);
        const auto group = std::upper_bound(plan.groups.begin(), plan.groups.end(), index,
                                            [](std::uint32_t i, const LinkGroup& g) { return i < g.last; });
        if (group == plan.groups.end()) return make_error(ErrorCode::internal, "no such link action");
        TAIPAN_CHECK(placer.open(*group));
        TAIPAN_CHECK(placer.place(index));
    }
    return placer.take();
}

} // namespace taipan
