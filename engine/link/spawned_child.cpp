// Problem: programs of the prefix are started from a process with many threads and descriptors, and must be stoppable
// with everything that they have started. Approach: posix_spawn into a process group of its own. What must hold: no
// child is left behind unreaped, on no path out of here.

#include "link/spawned_child.hpp"

#include <array>
#include <cerrno>
#include <csignal>
#include <utility>

#include <fcntl.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

namespace taipan {

namespace {

#ifdef MSG_NOSIGNAL
constexpr int send_flags = MSG_NOSIGNAL | MSG_DONTWAIT;
#else
constexpr int send_flags = MSG_DONTWAIT;
#endif

/// posix_spawn's attribute objects, destroyed in any case.
class SpawnSettings {
public:
    SpawnSettings() {
        ready_ = ::posix_spawn_file_actions_init(&actions_) == 0;
        if (ready_ && ::posix_spawnattr_init(&attributes_) != 0) {
            ::posix_spawn_file_actions_destroy(&actions_);
            ready_ = false;
        }
    }
    SpawnSettings(const SpawnSettings&) = delete;
    SpawnSettings& operator=(const SpawnSettings&) = delete;
    ~SpawnSettings() {
        if (!ready_) return;
        ::posix_spawn_file_actions_destroy(&actions_);
        ::posix_spawnattr_destroy(&attributes_);
    }

    /// Own process group, default signals, given descriptors and directory. Returns an errno value, 0 is success.
    int prepare(int input_fd, int output_fd, const std::string& directory) {
        if (!ready_) return ENOMEM;
        sigset_t none;
        sigset_t defaults;
        ::sigemptyset(&none);
        ::sigemptyset(&defaults);
        for (int number : {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGPIPE, SIGCHLD}) ::sigaddset(&defaults, number);
        constexpr auto flags =
            static_cast<short>(POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
        int error = ::posix_spawnattr_setflags(&attributes_, flags);
        if (error == 0) error = ::posix_spawnattr_setpgroup(&attributes_, 0);
        if (error == 0) error = ::posix_spawnattr_setsigmask(&attributes_, &none);
        if (error == 0) error = ::posix_spawnattr_setsigdefault(&attributes_, &defaults);
        if (error == 0 && input_fd >= 0) error = ::posix_spawn_file_actions_adddup2(&actions_, input_fd, 0);
        if (error == 0 && input_fd < 0) {
            error = ::posix_spawn_file_actions_addopen(&actions_, 0, "/dev/null", O_RDONLY, 0);
        }
        if (error == 0) error = ::posix_spawn_file_actions_adddup2(&actions_, output_fd, 1);
        if (error == 0) error = ::posix_spawn_file_actions_adddup2(&actions_, output_fd, 2);
        if (error == 0 && !directory.empty()) {
            error = ::posix_spawn_file_actions_addchdir_np(&actions_, directory.c_str());
        }
        return error;
    }
    [[nodiscard]] const posix_spawn_file_actions_t* actions() const { return &actions_; }
    [[nodiscard]] const posix_spawnattr_t* attributes() const { return &attributes_; }

private:
    posix_spawn_file_actions_t actions_{};
    posix_spawnattr_t attributes_{};
    bool ready_ = false;
};

std::vector<char*> pointers(std::vector<std::string>& texts) {
    std::vector<char*> result;
    for (std::string& text : texts) result.push_back(text.data());
    result.push_back(nullptr);
    return result;
}

} // namespace

SpawnedChild::SpawnedChild(SpawnedChild&& other) noexcept
    : pid_(std::exchange(other.pid_, -1)), status_(other.status_) {}

SpawnedChild::~SpawnedChild() {
    if (pid_ < 0) return;
    kill_group();
    wait(true);
}

void SpawnedChild::kill_group() const {
    if (pid_ < 0) return;
    ::kill(-pid_, SIGKILL);
    ::kill(pid_, SIGKILL); // it may not have reached its own group yet
}

bool SpawnedChild::wait(bool block) {
    while (pid_ >= 0) {
        const pid_t got = ::waitpid(pid_, &status_, block ? 0 : WNOHANG);
        if (got < 0 && errno == EINTR) continue;
        if (got == 0) return false;
        pid_ = -1; // ended; or not our child any more, which counts as ended with status 0
    }
    return true;
}

int SpawnedChild::exit_status() const { return WIFSIGNALED(status_) ? 128 + WTERMSIG(status_) : WEXITSTATUS(status_); }

int SpawnedChild::ending_signal() const { return WIFSIGNALED(status_) ? WTERMSIG(status_) : 0; }

Result<ChildStreams> make_child_streams(bool with_input) {
    ChildStreams streams;
    std::array<int, 2> ends{};
    if (::pipe2(ends.data(), O_CLOEXEC) != 0) return system_error(errno, "cannot create", "a pipe");
    streams.output = UniqueFd(ends[0]);
    streams.child_output = UniqueFd(ends[1]);
    if (!with_input) return streams;
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) != 0) {
        return system_error(errno, "cannot create", "a socket pair");
    }
    streams.input = UniqueFd(ends[0]);
    streams.child_input = UniqueFd(ends[1]);
    return streams;
}

Result<SpawnedChild> spawn_child(std::vector<std::string> arguments,
                                 const std::map<std::string, std::string>& environment,
                                 const std::string& working_directory, ChildStreams& streams) {
    SpawnSettings settings;
    if (const int error = settings.prepare(streams.child_input.get(), streams.child_output.get(), working_directory)) {
        return system_error(error, "cannot prepare to run", arguments.front());
    }
    std::vector<std::string> variables;
    for (const auto& [name, value] : environment) variables.push_back(name + '=' + value);
    pid_t pid = -1;
    const int error = ::posix_spawn(&pid, arguments.front().c_str(), settings.actions(), settings.attributes(),
                                    pointers(arguments).data(), pointers(variables).data());
    if (error != 0) return system_error(error, "cannot run", arguments.front());
    streams.child_input.reset();
    streams.child_output.reset();
    return SpawnedChild(pid);
}

bool send_input(int fd, std::string_view& input) {
    const ssize_t sent = ::send(fd, input.data(), input.size(), send_flags);
    if (sent > 0) input.remove_prefix(static_cast<std::size_t>(sent));
    return sent >= 0 || errno == EINTR || errno == EAGAIN;
}

bool read_output(int fd, std::string& output, std::size_t limit) {
    std::array<char, 1 << 14> buffer; // NOLINT: filled by read
    const ssize_t got = ::read(fd, buffer.data(), buffer.size());
    if (got < 0) return errno == EINTR || errno == EAGAIN;
    if (got == 0) return false;
    output.append(buffer.data(), static_cast<std::size_t>(got));
    if (output.size() > 2 * limit) output.erase(0, output.size() - limit);
    return true;
}

} // namespace taipan
