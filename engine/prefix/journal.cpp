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

constexpr std::string_view lock_name = ".taipan.lock"; // of prefix_lock_path
constexpr std::string_view aside_suffix = ".c~";       // conda's own; `conda clean` sweeps it

bool needs_path(Kind kind) {
    return kind == Kind::file || kind == Kind::directory || kind == Kind::aside || kind == Kind::aside_here ||
           kind == Kind::appended || kind == Kind::sweep;
}

bool has_number(Kind kind) { return kind == Kind::aside || kind == Kind::appended; }

bool is_known(char kind) { return kind != '\0' && std::string_view("FDABTENnUC").find(kind) != std::string_view::npos; }

/// A path split into the handle of its directory and its name. The handle of the last directory is kept.
class ParentHandles {
public:
    explicit ParentHandles(const JournalPlace& place) : prefix_fd_(place.prefix_fd), prefix_(place.prefix) {}

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
    struct stat status {};
    // A directory took the file's place in the meantime; it has a step of its own.
    const int saved = errno;
    if (::fstatat(parent, std::string(base_name(path)).c_str(), &status, AT_SYMLINK_NOFOLLOW) == 0 &&
        S_ISDIR(status.st_mode)) {
        return {};
    }
    errno = saved;
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

/// The file becomes as long as it was. Only ever shorter: what was never appended is not cut.
Result<void> cut(ParentHandles& handles, const JournalStep& step) {
    const int parent = handles.open(step.path);
    const std::string name(base_name(step.path));
    const UniqueFd file(parent < 0 ? -1 : ::openat(parent, name.c_str(), O_WRONLY | O_CLOEXEC | O_NOFOLLOW));
    if (!file && is_gone(errno)) return {};
    struct stat status {};
    if (!file || ::fstat(file.get(), &status) != 0) return handles.error("cannot restore", step.path);
    const auto length = static_cast<off_t>(step.number);
    if (status.st_size <= length || ::ftruncate(file.get(), length) == 0) return {};
    return handles.error("cannot restore", step.path);
}

/// First half of undoing: what was created goes, last one first.
Result<void> remove_created(const std::vector<JournalStep>& steps, ParentHandles& handles,
                            const FaultPoint& fault_point) {
    Result<void> outcome;
    for (auto step = steps.rbegin(); step != steps.rend(); ++step) {
        pass(fault_point, "undo");
        Result<void> removed;
        if (step->kind == Kind::appended) removed = cut(handles, *step);
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
Result<void> restore_set_aside(const std::vector<JournalStep>& steps, ParentHandles& handles,
                               const FaultPoint& fault_point) {
    std::unordered_set<std::string_view> created;
    Result<void> outcome;
    for (const JournalStep& step : steps) {
        if (step.kind == Kind::file) created.insert(step.path);
        if (step.kind != Kind::aside && step.kind != Kind::aside_here) continue;
        if (created.contains(step.path)) continue;
        pass(fault_point, "restore");
        auto restored = move_back(handles, step);
        if (!restored && outcome) outcome = std::move(restored);
    }
    return outcome;
}

/// What was set aside goes for good. Where a record had told of a file, somebody may have made a directory: with
/// something in it, it is put back, unless its place is taken.
Result<void> remove_set_aside(ParentHandles& handles, const JournalStep& step) {
    const std::string trashed = std::string(trash_directory) + '/' + std::to_string(step.number);
    const std::string path = step.kind == Kind::aside ? trashed : step.path + std::string(aside_suffix);
    const int parent = step.kind == Kind::aside ? handles.prefix_fd() : handles.open(path);
    const std::string name = step.kind == Kind::aside ? path : std::string(base_name(path));
    if (parent < 0 && is_gone(errno)) return {};
    if (parent < 0) return handles.error("cannot open the directory of", path);
    if (::unlinkat(parent, name.c_str(), 0) == 0 || is_gone(errno)) return {};
    const int saved = errno;
    struct stat status {};
    if (::fstatat(parent, name.c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0 || !S_ISDIR(status.st_mode)) {
        errno = saved;
        return handles.error("cannot remove", path);
    }
    if (::unlinkat(parent, name.c_str(), AT_REMOVEDIR) == 0) return {};
    const int place = handles.open(step.path);
    const std::string own(base_name(step.path));
    if (place >= 0 && !is_there(place, own) && ::renameat(parent, name.c_str(), place, own.c_str()) == 0) return {};
    return remove_tree(handles.prefix() + '/' + path);
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

/// The names in a directory; none when there is no such directory.
Result<std::vector<std::string>> children_of(const std::string& directory) {
    struct Closer {
        void operator()(DIR* stream) const { ::closedir(stream); }
    };
    std::vector<std::string> names;
    const std::unique_ptr<DIR, Closer> stream(::opendir(directory.c_str()));
    if (!stream && errno == ENOENT) return names;
    while (stream) {
        errno = 0;
        const dirent* entry = ::readdir(stream.get()); // NOLINT(concurrency-mt-unsafe): own stream
        if (entry == nullptr) break;
        const std::string_view name = entry->d_name;
        if (name != "." && name != "..") names.emplace_back(name);
    }
    if (errno != 0) return system_error(errno, "cannot list", directory);
    return names;
}

Result<void> remove_children_except(const std::string& directory, std::string_view kept) {
    TAIPAN_TRY(const auto names, children_of(directory));
    for (const std::string& name : names) {
        if (name != kept && name != inner_claim_lock) TAIPAN_CHECK(remove_tree(directory + '/' + name));
    }
    return {};
}

Result<bool> has_children_except(const std::string& directory, const std::set<std::string_view>& expected) {
    TAIPAN_TRY(const auto names, children_of(directory));
    return std::any_of(names.begin(), names.end(), [&](const std::string& name) { return !expected.contains(name); });
}

/// A kill while a record was written leaves it under the temporary name of an AtomicFile.
Result<void> remove_half_written_records(const JournalPlace& place) {
    TAIPAN_TRY(const auto names, children_of(place.prefix + "/conda-meta"));
    for (const std::string& name : names) {
        if (name.find(".json.taipan-") == std::string_view::npos) continue;
        TAIPAN_CHECK(remove_tree(place.prefix + "/conda-meta/" + name));
    }
    return {};
}

} // namespace

std::string serialise_steps(const std::vector<JournalStep>& steps) {
    std::string bytes;
    for (const JournalStep& step : steps) {
        bytes.push_back(static_cast<char>(step.kind));
        if (has_number(step.kind)) bytes.append(std::to_string(step.number)).push_back(':');
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
        if (has_number(step.kind)) {
            const auto parsed = std::from_chars(text.data(), text.data() + text.size(), step.number);
            if (parsed.ec != std::errc() || parsed.ptr == text.data() + text.size() || *parsed.ptr != ':') continue;
            text.remove_prefix(static_cast<std::size_t>(parsed.ptr - text.data()) + 1);
        }
        if (needs_path(step.kind) && !is_safe_relative_path(text)) continue;
        step.path = text;
        steps.push_back(std::move(step));
    }
}

Result<void> undo_steps(const std::vector<JournalStep>& steps, const JournalPlace& place, int journal_fd) {
    ParentHandles handles(place);
    Result<void> outcome;
    const bool resumed = std::any_of(steps.begin(), steps.end(), [](const auto& s) { return s.kind == Kind::undoing; });
    if (!resumed) {
        outcome = remove_created(steps, handles, place.fault_point);
        // Without this note a repetition would remove what has come back. A disk too full for it must not keep us
        // from going on: only a kill in the next moments would make it matter.
        static_cast<void>(static_cast<bool>(
            write_all(journal_fd, serialise_steps({{Kind::undoing, 0, {}}}), place.prefix + '/' + journal_path)));
        static_cast<void>(::fdatasync(journal_fd));
    }
    auto restored = restore_set_aside(steps, handles, place.fault_point);
    return outcome ? std::move(restored) : std::move(outcome);
}

Result<void> finish_steps(const std::vector<JournalStep>& steps, const JournalPlace& place) {
    ParentHandles handles(place);
    Result<void> outcome;
    for (const JournalStep& step : steps) {
        if (step.kind != Kind::aside && step.kind != Kind::aside_here) continue;
        pass(place.fault_point, "finish");
        auto removed = remove_set_aside(handles, step);
        if (!removed && outcome) outcome = std::move(removed);
    }
    pass(place.fault_point, "sweep");
    auto swept = sweep(steps, handles);
    return outcome ? std::move(swept) : std::move(outcome);
}

Result<void> remove_journal(const JournalPlace& place) {
    pass(place.fault_point, "journal goes");
    TAIPAN_CHECK(remove_half_written_records(place));
    if (::unlinkat(place.prefix_fd, journal_path, 0) != 0 && errno != ENOENT) {
        return system_error(errno, "cannot remove", place.prefix + '/' + journal_path);
    }
    pass(place.fault_point, "journal is gone");
    return remove_tree(place.prefix + '/' + trash_directory);
}

Result<void> remove_new_prefix(const std::string& prefix, bool keep_directory) {
    // The journal goes last: while it is there, this can be repeated.
    TAIPAN_CHECK(remove_children_except(prefix, "conda-meta"));
    TAIPAN_CHECK(remove_children_except(prefix + "/conda-meta", base_name(trash_directory)));
    TAIPAN_CHECK(remove_children_except(prefix + '/' + trash_directory, base_name(journal_path)));
    TAIPAN_CHECK(remove_tree(prefix + "/conda-meta"));
    if (keep_directory || ::rmdir(prefix.c_str()) == 0 || errno == ENOENT) return {};
    return system_error(errno, "cannot remove directory", prefix);
}

Result<bool> remove_unbegun_prefix(const std::string& prefix) {
    TAIPAN_TRY(const bool more, has_children_except(prefix, {"conda-meta", inner_claim_lock}));
    TAIPAN_TRY(const bool begun, has_children_except(prefix + "/conda-meta", {base_name(trash_directory), lock_name}));
    if (more || begun) return false;
    TAIPAN_CHECK(remove_tree(prefix + "/conda-meta"));
    return true;
}

} // namespace taipan
