// Problem: two environments of the same packages differ in when they were made and in the umask of whoever made them.
// Approach: one walk when everything else is done, children before their directory, since each change in a directory
// gives it a new time.
// What must hold: an inode that the package cache shares is not touched: another environment may depend on it.

#include "prefix/settle_tree.hpp"

#include <array>
#include <cerrno>
#include <climits>
#include <memory>
#include <vector>

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/copy_file.hpp"
#include "base/filesystem.hpp"

namespace taipan {

namespace {

constexpr const char* temporary_name = ".taipan-settled";

struct CloseDirectory {
    void operator()(DIR* stream) const { ::closedir(stream); }
};

/// The owner's rights for all, but writing for the owner only.
mode_t settled_mode(mode_t mode) {
    const mode_t owner = mode & 0700U;
    const mode_t shared = (owner & 0500U) >> 3U;
    return owner | shared | (shared >> 3U);
}

class Settler {
public:
    Settler(const std::string& prefix, const TreeRules& rules) : prefix_(prefix), rules_(rules) {}

    Result<void> settle_directory(UniqueFd directory, const std::string& path) {
        TAIPAN_TRY(const auto names, list(directory.get(), path));
        for (const std::string& name : names) {
            const std::string child = path.empty() ? name : path + '/' + name;
            struct stat status {};
            if (::fstatat(directory.get(), name.c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0) {
                return failed("cannot look at", child);
            }
            if (S_ISDIR(status.st_mode)) {
                UniqueFd below(
                    ::openat(directory.get(), name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
                if (!below) return failed("cannot open directory", child);
                TAIPAN_CHECK(settle_directory(std::move(below), child));
            } else if (S_ISREG(status.st_mode)) {
                TAIPAN_CHECK(settle_file(directory.get(), name, child, status));
            } else if (S_ISLNK(status.st_mode)) {
                TAIPAN_CHECK(settle_symlink(directory.get(), name, child, status));
            }
        }
        struct stat status {};
        if (::fstat(directory.get(), &status) != 0) return failed("cannot look at", path);
        const mode_t mode = settled_mode(status.st_mode) | (status.st_mode & 07000U);
        if (mode != (status.st_mode & 07777U) && ::fchmod(directory.get(), mode) != 0) {
            return failed("cannot set the mode of", path);
        }
        const auto times = moment();
        if (::futimens(directory.get(), times.data()) != 0) return failed("cannot set the time of", path);
        return {};
    }

private:
    [[nodiscard]] Error failed(std::string_view action, const std::string& path) const {
        return system_error(errno, action, prefix_ + '/' + path);
    }

    [[nodiscard]] std::array<timespec, 2> moment() const {
        return {timespec{0, UTIME_OMIT}, timespec{static_cast<time_t>(rules_.moment), 0}};
    }

    Result<std::vector<std::string>> list(int directory, const std::string& path) {
        const int handle = ::fcntl(directory, F_DUPFD_CLOEXEC, 0);
        const std::unique_ptr<DIR, CloseDirectory> stream(handle < 0 ? nullptr : ::fdopendir(handle));
        if (!stream) {
            if (handle >= 0) ::close(handle);
            return failed("cannot list", path);
        }
        std::vector<std::string> names;
        while (true) {
            errno = 0;
            const dirent* entry = ::readdir(stream.get()); // NOLINT(concurrency-mt-unsafe): own stream
            if (entry == nullptr) break;
            const std::string_view name = entry->d_name;
            if (name != "." && name != "..") names.emplace_back(name);
        }
        if (errno != 0) return failed("cannot list", path);
        return names;
    }

    Result<void> settle_file(int directory, const std::string& name, const std::string& path,
                             const struct stat& status) {
        const auto known = rules_.known.find(path);
        const bool ours = known != rules_.known.end() || path.starts_with("conda-meta/");
        if (!ours && !rules_.others) return {};
        const bool shipped = known != rules_.known.end() && known->second == TreeFile::shipped;
        const mode_t mode = settled_mode(status.st_mode);
        const bool other_mode = mode != (status.st_mode & 07777U);
        if (!other_mode && shipped) return {};
        if (status.st_nlink > 1) TAIPAN_CHECK(make_own(directory, name, path));
        if (other_mode && ::fchmodat(directory, name.c_str(), mode, 0) != 0) {
            return failed("cannot set the mode of", path);
        }
        return shipped ? Result<void>() : set_time(directory, name, path);
    }

    Result<void> set_time(int directory, const std::string& name, const std::string& path) {
        const auto times = moment();
        if (::utimensat(directory, name.c_str(), times.data(), AT_SYMLINK_NOFOLLOW) == 0) return {};
        return failed("cannot set the time of", path);
    }

    /// A copy in place of a file that has other names.
    Result<void> make_own(int directory, const std::string& name, const std::string& path) {
        TAIPAN_TRY(const SourceFile source, open_source_file(directory, name.c_str(), prefix_ + '/' + path));
        ::unlinkat(directory, temporary_name, 0); // of a killed run
        UniqueFd target = create_target_file(directory, temporary_name, 0600);
        if (!target) return failed("cannot copy", path);
        auto copied = copy_content(source, target.get(), prefix_ + '/' + path);
        if (copied && ::renameat(directory, temporary_name, directory, name.c_str()) == 0) return {};
        if (copied) copied = failed("cannot replace", path);
        ::unlinkat(directory, temporary_name, 0);
        return copied;
    }

    Result<void> settle_symlink(int directory, const std::string& name, const std::string& path,
                                const struct stat& status) {
        if (!rules_.others && !rules_.known.contains(path)) return {};
        if (status.st_nlink > 1) {
            std::string text(PATH_MAX, '\0');
            const ssize_t length = ::readlinkat(directory, name.c_str(), text.data(), text.size());
            if (length < 0) return failed("cannot read the link", path);
            text.resize(static_cast<std::size_t>(length));
            ::unlinkat(directory, temporary_name, 0);
            if (::symlinkat(text.c_str(), directory, temporary_name) != 0 ||
                ::renameat(directory, temporary_name, directory, name.c_str()) != 0) {
                return failed("cannot make anew", path);
            }
        }
        return set_time(directory, name, path);
    }

    const std::string& prefix_;
    const TreeRules& rules_;
};

} // namespace

Result<void> settle_tree(const std::string& prefix, const TreeRules& rules) {
    UniqueFd root(::open(prefix.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!root) return system_error(errno, "cannot open directory", prefix);
    return Settler(prefix, rules).settle_directory(std::move(root), {});
}

} // namespace taipan
