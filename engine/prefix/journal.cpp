// The journal makes one list of steps serve three ends: undo after an error (from memory), undo after a SIGKILL (from
// the file) and finishing a commit that was interrupted. A step is written before it is made, so each one may or may
// not have happened: undoing and finishing take both as given.
// What must hold: undoing and finishing may be interrupted and repeated. Therefore undoing has two halves with a note
// in the journal between them: removing created files a second time would hit the ones that have come back.

#include "prefix/journal.hpp"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <memory>
#include <set>
#include <unordered_set>

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/beneath.hpp"

namespace taipan {

namespace {

using Kind = JournalStep::Kind;

constexpr std::string_view aside_suffix = ".c~"; // conda's own; `conda clean` sweeps it

bool needs_path(Kind kind) {
    return kind == Kind::file || kind == Kind::directory || kind == Kind::aside || kind == Kind::aside_here ||
           kind == Kind::sweep;
}

bool is_known(char kind) { return kind != '\0' && std::string_view("FDABENnUC").find(kind) != std::string_view::npos; }

/// A path split into the handle of its directory and its name. The handle of the last directory is kept.
class ParentHandles {
public:
    ParentHandles(int prefix_fd, const std::string& prefix) : prefix_fd_(prefix_fd), prefix_(prefix) {}

    /// -1 with errno when the directory cannot be opened.
    int open(const std::string& path) {
        const std::string_view parent = parent_path(path);
        if (fd_ && parent == parent_) return fd_.get();
        fd_ = open_directory_beneath(prefix_fd_, std::string(parent));
        parent_ = parent;
        return fd_.get();
    }
    void forget() { fd_.reset(); }
    [[nodiscard]] Error error(std::string_view action, const std::string& path) const {
        return system_error(errno, action, prefix_ + '/' + path);
    }
    [[nodiscard]] const std::string& prefix() const { return prefix_; }
    [[nodiscard]] int prefix_fd() const { return prefix_fd_; }

private:
    int prefix_fd_;
    const std::string& prefix_;
    UniqueFd fd_;
    std::string parent_;
};

bool is_gone(int errno_value) { return errno_value == ENOENT || errno_value == ENOTDIR; }

Result<void> remove_file(ParentHandles& handles, const std::string& path) {
    const int parent = handles.open(path);
    if (parent < 0) {
        if (is_gone(errno)) return {};
        return handles.error("cannot open the directory of", path);
    }
    if (::unlinkat(parent, std::string(base_name(path)).c_str(), 0) == 0 || is_gone(errno)) return {};
    return handles.error("cannot remove", path);
}

/// Not empty is no error: what else lies there is not ours.
Result<void> remove_directory(ParentHandles& handles, const std::string& path) {
    const int parent = handles.open(path);
    if (parent < 0) {
        if (is_gone(errno)) return {};
        return handles.error("cannot open the directory of", path);
    }
    const bool removed = ::unlinkat(parent, std::string(base_name(path)).c_str(), AT_REMOVEDIR) == 0;
    if (removed || is_gone(errno) || errno == ENOTEMPTY || errno == EEXIST || errno == EBUSY) return {};
    return handles.error("cannot remove directory", path);
}

bool is_there(int directory_fd, const std::string& path) {
    struct stat status {};
    return ::fstatat(directory_fd, path.c_str(), &status, AT_SYMLINK_NOFOLLOW) == 0;
}

Result<void> move_back(ParentHandles& handles, const JournalStep& step) {
    const bool here = step.kind == Kind::aside_here;
    const std::string trashed = std::string(trash_directory) + '/' + std::to_string(step.number);
    int parent = handles.open(step.path);
    if (parent < 0) {
        const int saved = errno;
        // Nothing was there to move: then there is nothing to bring back either.
        if (here ? is_gone(saved) : !is_there(handles.prefix_fd(), trashed)) return {};
        if (saved == ENOENT) { // somebody has removed the directory since
            TAIPAN_CHECK(make_directories(handles.prefix() + '/' + std::string(parent_path(step.path))));
            parent = handles.open(step.path);
        }
        if (parent < 0) return handles.error("cannot open the directory of", step.path);
    }
    const std::string name(base_name(step.path));
    const std::string aside = here ? name + std::string(aside_suffix) : trashed;
    const int from = here ? parent : handles.prefix_fd();
    if (::renameat(from, aside.c_str(), parent, name.c_str()) == 0) return {};
    if (errno == ENOENT) return {}; // it had not been moved, or is back already
    return handles.error("cannot restore", step.path);
}

/// First half of undoing: what was created goes, last one first.
Result<void> remove_created(const std::vector<JournalStep>& steps, ParentHandles& handles) {
    Result<void> outcome;
    for (auto step = steps.rbegin(); step != steps.rend(); ++step) {
        Result<void> removed;
        if (step->kind == Kind::file) {
            removed = remove_file(handles, step->path);
        } else if (step->kind == Kind::directory) {
            removed = remove_directory(handles, step->path);
            handles.forget(); // its handle may be the one that is kept
        }
        if (!removed && outcome) outcome = std::move(removed);
    }
    return outcome;
}

/// Second half: what was set aside comes back, unless the run itself had created it.
Result<void> restore_set_aside(const std::vector<JournalStep>& steps, ParentHandles& handles) {
    std::unordered_set<std::string_view> created;
    Result<void> outcome;
    for (const JournalStep& step : steps) {
        if (step.kind == Kind::file) created.insert(step.path);
        if (step.kind != Kind::aside && step.kind != Kind::aside_here) continue;
        if (created.contains(step.path)) continue;
        auto restored = move_back(handles, step);
        if (!restored && outcome) outcome = std::move(restored);
    }
    return outcome;
}

/// Removes directories that are empty, deepest first, each with its parents.
Result<void> sweep(const std::vector<JournalStep>& steps, ParentHandles& handles) {
    std::set<std::string, std::greater<>> candidates; // children sort before parents
    for (const JournalStep& step : steps) {
        if (step.kind != Kind::sweep) continue;
        for (std::string_view path = step.path; !path.empty() && path != "conda-meta"; path = parent_path(path)) {
            if (!candidates.emplace(path).second) break;
        }
    }
    Result<void> outcome;
    for (const std::string& path : candidates) {
        auto removed = remove_directory(handles, path);
        handles.forget();
        if (!removed && outcome) outcome = std::move(removed);
    }
    return outcome;
}

} // namespace

std::string serialise_steps(const std::vector<JournalStep>& steps) {
    std::string bytes;
    for (const JournalStep& step : steps) {
        bytes.push_back(static_cast<char>(step.kind));
        if (step.kind == Kind::aside) bytes.append(std::to_string(step.number)).push_back(':');
        bytes.append(step.path).push_back('\0');
    }
    return bytes;
}

std::vector<JournalStep> parse_steps(std::string_view bytes) {
    std::vector<JournalStep> steps;
    while (true) {
        const std::size_t end = bytes.find('\0');
        if (end == std::string_view::npos) return steps;
        std::string_view text = bytes.substr(0, end);
        bytes.remove_prefix(end + 1);
        if (text.empty() || !is_known(text.front())) continue;
        JournalStep step;
        step.kind = static_cast<Kind>(text.front());
        text.remove_prefix(1);
        if (step.kind == Kind::aside) {
            const auto parsed = std::from_chars(text.data(), text.data() + text.size(), step.number);
            if (parsed.ec != std::errc() || parsed.ptr == text.data() + text.size() || *parsed.ptr != ':') continue;
            text.remove_prefix(static_cast<std::size_t>(parsed.ptr - text.data()) + 1);
        }
        if (needs_path(step.kind) && !is_safe_relative_path(text)) continue;
        step.path = text;
        steps.push_back(std::move(step));
    }
}

Result<void> undo_steps(const std::vector<JournalStep>& steps, int prefix_fd, const std::string& prefix,
                        int journal_fd) {
    ParentHandles handles(prefix_fd, prefix);
    Result<void> outcome;
    const bool resumed = std::any_of(steps.begin(), steps.end(), [](const auto& s) { return s.kind == Kind::undoing; });
    if (!resumed) {
        outcome = remove_created(steps, handles);
        // Without this note a repetition would remove what has come back. A disk too full for it must not keep us
        // from going on: only a kill in the next moments would make it matter.
        static_cast<void>(static_cast<bool>(
            write_all(journal_fd, serialise_steps({{Kind::undoing, 0, {}}}), prefix + '/' + journal_path)));
    }
    auto restored = restore_set_aside(steps, handles);
    return outcome ? std::move(restored) : std::move(outcome);
}

Result<void> finish_steps(const std::vector<JournalStep>& steps, int prefix_fd, const std::string& prefix) {
    ParentHandles handles(prefix_fd, prefix);
    Result<void> outcome;
    for (const JournalStep& step : steps) {
        if (step.kind != Kind::aside && step.kind != Kind::aside_here) continue;
        const std::string path = step.kind == Kind::aside
                                     ? std::string(trash_directory) + '/' + std::to_string(step.number)
                                     : step.path + std::string(aside_suffix);
        auto removed = remove_file(handles, path);
        if (!removed) removed = remove_tree(prefix + '/' + path); // a directory was set aside
        if (!removed && outcome) outcome = std::move(removed);
    }
    auto swept = sweep(steps, handles);
    return outcome ? std::move(swept) : std::move(outcome);
}

Result<void> remove_journal(int prefix_fd, const std::string& prefix) {
    if (::unlinkat(prefix_fd, journal_path, 0) != 0 && errno != ENOENT) {
        return system_error(errno, "cannot remove", prefix + '/' + journal_path);
    }
    return remove_tree(prefix + '/' + trash_directory);
}

Result<void> remove_new_prefix(const std::string& prefix, bool keep_directory) {
    struct Closer {
        void operator()(DIR* stream) const { ::closedir(stream); }
    };
    const std::string meta = prefix + "/conda-meta"; // goes last: while the journal is there, this can be repeated
    {
        const std::unique_ptr<DIR, Closer> stream(::opendir(prefix.c_str()));
        if (!stream) {
            if (errno == ENOENT) return {};
            return system_error(errno, "cannot list", prefix);
        }
        while (true) {
            errno = 0;
            const dirent* entry = ::readdir(stream.get()); // NOLINT(concurrency-mt-unsafe): own stream
            if (entry == nullptr) break;
            const std::string_view name = entry->d_name;
            if (name == "." || name == ".." || name == "conda-meta") continue;
            TAIPAN_CHECK(remove_tree(prefix + '/' + entry->d_name));
        }
        if (errno != 0) return system_error(errno, "cannot list", prefix);
    }
    TAIPAN_CHECK(remove_tree(meta));
    if (keep_directory || ::rmdir(prefix.c_str()) == 0 || errno == ENOENT) return {};
    return system_error(errno, "cannot remove directory", prefix);
}

} // namespace taipan
