#include "cache/cache_leftovers.hpp"

#include <algorithm>
#include <cerrno>
#include <filesystem>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/temporary_name.hpp"

namespace taipan {

namespace {

namespace fs = std::filesystem;

constexpr std::time_t surely_ended_seconds = 24 * 60 * 60;
constexpr int most_turns = 500;
constexpr useconds_t turn_microseconds = 10'000;
constexpr off_t first_run_byte = off_t{1} << 62U; ///< beyond the bytes of the package locks

struct flock byte_of_run(short type, long run) {
    struct flock request {};
    request.l_type = type;
    request.l_whence = SEEK_SET;
    request.l_start = first_run_byte + run;
    request.l_len = 1;
    return request;
}

struct flock all_runs(short type) {
    struct flock request = byte_of_run(type, 0);
    request.l_len = 0; // to the end, wherever that is
    return request;
}

/// Adds the temporary entries of one directory below the cache ("" or "cache/").
void look_into(const std::string& cache_directory, const std::string& below, const RunLocks& locks, std::time_t now,
               std::vector<std::string>& found) {
    std::error_code error;
    for (fs::directory_iterator entry(cache_directory + '/' + below, error), end; !error && entry != end;
         entry.increment(error)) {
        std::string name = entry->path().filename().string();
        const long run = run_of_temporary(name);
        struct stat status {};
        if (run == 0 || ::lstat(entry->path().c_str(), &status) != 0) continue;
        if (locks.has_ended(run, status.st_mtime, now)) found.push_back(below + name);
    }
}

} // namespace

RunLocks::RunLocks(const std::string& cache_directory)
    : file_(::open((cache_directory + "/.taipan.lock").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666)) {}

void RunLocks::hold() const {
    if (!file_) return;
    struct flock request = byte_of_run(F_RDLCK, run_number()); // shared with other caches that this process opens
    // Entries are cleared by renaming them, which is over at once.
    for (int turn = 0; turn < most_turns && ::fcntl(file_.get(), F_OFD_SETLK, &request) != 0; ++turn) {
        if (errno != EAGAIN && errno != EACCES && errno != EINTR) return;
        ::usleep(turn_microseconds);
    }
}

bool RunLocks::try_keep_runs_out() const {
    if (!file_) return true;
    struct flock request = all_runs(F_WRLCK);
    return ::fcntl(file_.get(), F_OFD_SETLK, &request) == 0 || (errno != EAGAIN && errno != EACCES);
}

void RunLocks::let_runs_in() const {
    if (!file_) return;
    struct flock request = all_runs(F_UNLCK);
    // Unlocking what we hold cannot fail; if it did, the lock would end with the process.
    static_cast<void>(::fcntl(file_.get(), F_OFD_SETLK, &request));
}

bool RunLocks::has_ended(long run, std::time_t modified, std::time_t now) const {
    if (run == run_number()) return false;
    struct flock request = byte_of_run(F_WRLCK, run);
    if (file_ && ::fcntl(file_.get(), F_OFD_GETLK, &request) == 0) return request.l_type == F_UNLCK;
    return now - modified > surely_ended_seconds;
}

std::vector<std::string> find_leftovers(const std::string& cache_directory, const RunLocks& locks, std::time_t now) {
    std::vector<std::string> found;
    look_into(cache_directory, "", locks, now, found);
    look_into(cache_directory, "cache/", locks, now, found);
    look_into(cache_directory, ".taipan-layers/", locks, now, found);
    std::error_code error;
    const std::string bytecode = ".taipan-pyc/";
    for (fs::directory_iterator entry(cache_directory + '/' + bytecode, error), end; !error && entry != end;
         entry.increment(error)) {
        look_into(cache_directory, bytecode + entry->path().filename().string() + '/', locks, now, found);
    }
    std::sort(found.begin(), found.end());
    return found;
}

} // namespace taipan
