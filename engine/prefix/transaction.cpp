// Problem: an install that fails half-way must leave the prefix as it was, whatever made it fail: a script, a full
// disk, Ctrl-C, SIGKILL. Approach: every change is announced first. Files to be removed are moved into a directory of
// the same prefix and really removed on commit. The announcements are kept in memory for a rollback and, one write a
// batch, in a journal for the next run to find. A prefix that is all ours needs none of that: undoing it is removing
// it. What must hold: a step is in the journal before it is made; nothing is really removed before the journal says
// that the run is committed; the journal is the last thing to go.
//
// Policy for power loss: in an existing prefix the journal is on the disk (fdatasync) before the steps it announces,
// a handful of times in a run. So the former state is found again after a crash of the machine at any moment before the
// commit. Package files are not synced: the last seconds before a crash may leave some of them empty or short, which
// `taipan verify` tells by their hashes and `--repair` mends.

#include "prefix/transaction.hpp"

#include <atomic>
#include <cerrno>
#include <iterator>
#include <mutex>
#include <utility>

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/beneath.hpp"
#include "base/filesystem.hpp"
#include "prefix/journal.hpp"

namespace taipan {

using Kind = JournalStep::Kind;

struct Transaction::State {
    std::string prefix;
    UniqueFd prefix_fd, trash_fd, journal_fd;
    FaultPoint fault_point;
    bool is_new = false;
    bool directory_existed = true;
    bool ended = false;

    std::mutex mutex; // guards what follows
    std::vector<JournalStep> steps;
    std::vector<JournalStep> sweeps;
    std::uint64_t next_number = 0;

    [[nodiscard]] JournalPlace place() const { return {prefix_fd.get(), prefix, fault_point}; }

    /// Appends to journal and memory. To be called with the mutex held.
    Result<void> announce(std::vector<JournalStep> batch, bool durable = true) {
        pass(fault_point, "before an announcement");
        TAIPAN_CHECK(write_all(journal_fd.get(), serialise_steps(batch), prefix + '/' + journal_path));
        if (durable && !is_new && ::fdatasync(journal_fd.get()) != 0 && errno != EINVAL && errno != EROFS) {
            return system_error(errno, "cannot sync", prefix + '/' + journal_path);
        }
        pass(fault_point, "announced");
        steps.insert(steps.end(), std::make_move_iterator(batch.begin()), std::make_move_iterator(batch.end()));
        return {};
    }

    Result<void> open_journal() {
        const std::string trash = prefix + '/' + trash_directory;
        TAIPAN_CHECK(make_directories(trash));
        TAIPAN_TRY(trash_fd, open_directory(trash));
        journal_fd = UniqueFd(
            ::openat(trash_fd.get(), "journal", O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0666));
        if (journal_fd) return is_new ? Result<void>() : sync_names();
        if (errno != EEXIST) return system_error(errno, "cannot create", trash + "/journal");
        return make_error(ErrorCode::corrupt_environment,
                          "an interrupted run has left " + trash + "/journal; it must be repaired first");
    }

    /// The journal's name, and that of its directory, must be found after a crash too.
    Result<void> sync_names() {
        TAIPAN_TRY(const UniqueFd meta, open_directory(prefix + "/conda-meta"));
        for (const int fd : {trash_fd.get(), meta.get()}) {
            if (::fsync(fd) != 0 && errno != EINVAL) return system_error(errno, "cannot sync", prefix + "/conda-meta");
        }
        return {};
    }

    Result<void> move_aside(int parent_fd, const std::string& path, std::uint64_t number);
};

namespace {

/// Whether the directory has no entries, besides a claim's lock. A missing one is empty.
Result<bool> is_empty_directory(const std::string& path) {
    struct Closer {
        void operator()(DIR* stream) const { ::closedir(stream); }
    };
    const std::unique_ptr<DIR, Closer> stream(::opendir(path.c_str()));
    if (!stream) {
        if (errno == ENOENT) return true;
        return system_error(errno, "cannot list", path);
    }
    while (const dirent* entry = ::readdir(stream.get())) { // NOLINT(concurrency-mt-unsafe): own stream
        const std::string_view name = entry->d_name;
        if (name != "." && name != ".." && name != inner_claim_lock) return false;
    }
    return true;
}

std::vector<JournalStep> steps_of(Kind kind, const std::vector<std::string>& paths) {
    std::vector<JournalStep> steps;
    steps.reserve(paths.size());
    for (const std::string& path : paths) steps.push_back({kind, 0, path});
    return steps;
}

Result<void> check_paths(const std::vector<std::string>& paths) {
    for (const std::string& path : paths) {
        if (!is_safe_relative_path(path)) {
            return make_error(ErrorCode::internal, "'" + path + "' is no path inside an environment");
        }
    }
    return {};
}

} // namespace

/// `number` has been announced. Moves into the trash, or beside the file where that is on another device.
Result<void> Transaction::State::move_aside(int parent_fd, const std::string& path, std::uint64_t number) {
    pass(fault_point, "aside");
    const std::string name(base_name(path));
    if (::renameat(parent_fd, name.c_str(), trash_fd.get(), std::to_string(number).c_str()) == 0) return {};
    if (errno == ENOENT) return {};
    if (errno != EXDEV) return system_error(errno, "cannot move aside", prefix + '/' + path);
    {
        const std::lock_guard lock(mutex);
        TAIPAN_CHECK(announce({{Kind::aside_here, 0, path}}));
    }
    if (::renameat(parent_fd, name.c_str(), parent_fd, (name + ".c~").c_str()) == 0) return {};
    return system_error(errno, "cannot move aside", prefix + '/' + path);
}

Transaction::Transaction(std::unique_ptr<State> state) : state_(std::move(state)) {}
Transaction::Transaction(Transaction&&) noexcept = default;

Transaction::~Transaction() {
    // Nobody is left to tell; the journal stays if something could not be undone.
    if (state_ && !state_->ended) static_cast<void>(static_cast<bool>(rollback()));
}

Result<Transaction> Transaction::begin(const std::string& prefix, FaultPoint fault_point) {
    auto state = std::make_unique<State>();
    state->fault_point = std::move(fault_point);
    state->prefix = prefix;
    TAIPAN_TRY(state->prefix_fd, open_directory(prefix));
    if (auto opened = state->open_journal(); !opened) {
        // Of a disk that is full already; a directory with something in it is not ours, and stays.
        static_cast<void>(::unlinkat(state->prefix_fd.get(), trash_directory, AT_REMOVEDIR));
        return std::move(opened).error();
    }
    return Transaction(std::move(state));
}

Result<Transaction> Transaction::begin_new(const std::string& prefix, FaultPoint fault_point) {
    auto state = std::make_unique<State>();
    state->fault_point = std::move(fault_point);
    state->prefix = prefix;
    state->is_new = true;
    TAIPAN_TRY(const bool empty, is_empty_directory(prefix));
    if (!empty) {
        return make_error(ErrorCode::environment_exists,
                          "cannot create an environment at " + prefix + ": the directory is not empty");
    }
    state->directory_existed = is_directory(prefix);
    TAIPAN_CHECK(make_directories(prefix));
    auto opened = open_directory(prefix);
    auto outcome = opened ? Result<void>() : Result<void>(opened.error());
    if (outcome) {
        state->prefix_fd = *std::move(opened);
        outcome = state->open_journal();
    }
    if (outcome) {
        const Kind kind = state->directory_existed ? Kind::new_in_directory : Kind::new_prefix;
        outcome = state->announce({{kind, 0, {}}});
    }
    if (!outcome) {
        state->ended = true;
        static_cast<void>(static_cast<bool>(remove_new_prefix(prefix, state->directory_existed)));
        return std::move(outcome).error();
    }
    return Transaction(std::move(state));
}

const std::string& Transaction::prefix() const { return state_->prefix; }
int Transaction::prefix_fd() const { return state_->prefix_fd.get(); }
bool Transaction::is_new() const { return state_->is_new; }
int Transaction::scratch_fd() const { return state_->trash_fd.get(); }
std::string Transaction::scratch_directory() const { return state_->prefix + '/' + trash_directory; }

Result<void> Transaction::created(const std::vector<std::string>& paths) {
    if (state_->is_new || paths.empty()) return {};
    TAIPAN_CHECK(check_paths(paths));
    const std::lock_guard lock(state_->mutex);
    return state_->announce(steps_of(Kind::file, paths));
}

Result<void> Transaction::created_directories(const std::vector<std::string>& paths) {
    if (state_->is_new || paths.empty()) return {};
    TAIPAN_CHECK(check_paths(paths));
    const std::lock_guard lock(state_->mutex);
    return state_->announce(steps_of(Kind::directory, paths), false);
}

Result<void> Transaction::appending(const std::string& path) {
    if (state_->is_new) return {};
    TAIPAN_CHECK(check_paths({path}));
    struct stat status {};
    if (::fstatat(state_->prefix_fd.get(), path.c_str(), &status, 0) != 0 && errno != ENOENT) {
        return system_error(errno, "cannot stat", state_->prefix + '/' + path);
    }
    const std::lock_guard lock(state_->mutex);
    return state_->announce({{Kind::appended, static_cast<std::uint64_t>(status.st_size), path}});
}

Result<void> Transaction::set_aside(const std::vector<std::string>& paths) {
    if (paths.empty()) return {};
    TAIPAN_CHECK(check_paths(paths));
    std::vector<JournalStep> batch = steps_of(Kind::aside, paths);
    {
        const std::lock_guard lock(state_->mutex);
        for (JournalStep& step : batch) step.number = state_->next_number++;
        TAIPAN_CHECK(state_->announce(batch));
    }
    UniqueFd parent_fd;
    std::string_view parent;
    bool missing = false;
    for (std::size_t i = 0; i < batch.size(); ++i) {
        const std::string& path = batch[i].path;
        if (i == 0 || parent_path(path) != parent) {
            parent = parent_path(path);
            parent_fd = open_directory_beneath(state_->prefix_fd.get(), std::string(parent));
            missing = !parent_fd && (errno == ENOENT || errno == ENOTDIR || errno == EXDEV);
            if (!parent_fd && !missing) {
                return system_error(errno, "cannot open directory", state_->prefix + '/' + std::string(parent));
            }
        }
        if (!missing) TAIPAN_CHECK(state_->move_aside(parent_fd.get(), path, batch[i].number));
    }
    return {};
}

void Transaction::remove_if_empty(const std::vector<std::string>& directories) {
    const std::lock_guard lock(state_->mutex);
    for (const std::string& directory : directories) {
        if (is_safe_relative_path(directory)) state_->sweeps.push_back({Kind::sweep, 0, directory});
    }
}

Result<void> Transaction::commit() {
    const std::lock_guard lock(state_->mutex);
    std::vector<JournalStep> last = std::move(state_->sweeps);
    last.push_back({Kind::committed, 0, {}});
    TAIPAN_CHECK(state_->announce(std::move(last)));
    state_->ended = true; // from here on only forward
    TAIPAN_CHECK(finish_steps(state_->steps, state_->place()));
    return remove_journal(state_->place());
}

Result<void> Transaction::rollback() {
    const std::lock_guard lock(state_->mutex);
    if (state_->ended) return {};
    state_->ended = true;
    if (state_->is_new) return remove_new_prefix(state_->prefix, state_->directory_existed);
    TAIPAN_CHECK(undo_steps(state_->steps, state_->place(), state_->journal_fd.get()));
    return remove_journal(state_->place());
}

Result<Transaction::Recovery> Transaction::recover(const std::string& prefix, const FaultPoint& fault_point) {
    const std::string path = prefix + '/' + journal_path;
    if (!exists(path)) {
        // A run that was killed before its first step, or after its last one.
        if (!exists(prefix + '/' + trash_directory)) return Recovery::nothing;
        TAIPAN_TRY(const bool unbegun, remove_unbegun_prefix(prefix));
        if (!unbegun) TAIPAN_CHECK(remove_tree(prefix + '/' + trash_directory));
        return Recovery::nothing;
    }
    TAIPAN_TRY(const UniqueFd prefix_fd, open_directory(prefix));
    const JournalPlace place{prefix_fd.get(), prefix, fault_point};
    TAIPAN_TRY(const std::string bytes, read_regular_file(path));
    const std::vector<JournalStep> steps = parse_steps(bytes);
    if (steps.empty()) {
        TAIPAN_TRY(const bool unbegun, remove_unbegun_prefix(prefix));
        if (unbegun) return Recovery::rolled_back;
    }
    if (!steps.empty() && steps.back().kind == Kind::committed) {
        TAIPAN_CHECK(finish_steps(steps, place));
        TAIPAN_CHECK(remove_journal(place));
        return Recovery::rolled_forward;
    }
    if (!steps.empty() && (steps.front().kind == Kind::new_prefix || steps.front().kind == Kind::new_in_directory)) {
        TAIPAN_CHECK(remove_new_prefix(prefix, steps.front().kind == Kind::new_in_directory));
        return Recovery::rolled_back;
    }
    const UniqueFd journal_fd(::open(path.c_str(), O_WRONLY | O_APPEND | O_CLOEXEC | O_NOFOLLOW));
    // A torn last record must not swallow what is appended.
    if (!journal_fd || ::ftruncate(journal_fd.get(), static_cast<off_t>(bytes.rfind('\0') + 1)) != 0) {
        return system_error(errno, "cannot continue", path);
    }
    TAIPAN_CHECK(undo_steps(steps, place, journal_fd.get()));
    TAIPAN_CHECK(remove_journal(place));
    return Recovery::rolled_back;
}

} // namespace taipan
