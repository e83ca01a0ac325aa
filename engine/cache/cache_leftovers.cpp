#include "cache/cache_leftovers.hpp"

#include <algorithm>
#include <filesystem>

#include <fcntl.h>
#include <sys/stat.h>

#include "base/temporary_name.hpp"

namespace taipan {

namespace {

namespace fs = std::filesystem;

constexpr std::time_t surely_ended_seconds = 24 * 60 * 60;
constexpr off_t first_run_byte = off_t{1} << 62U; ///< beyond the bytes of the package locks

struct flock byte_of_run(short type, long run) {
    struct flock request {};
    request.l_type = type;
    request.l_whence = SEEK_SET;
    request.l_start = first_run_byte + run;
    request.l_len = 1;
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
