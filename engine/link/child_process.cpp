// Problem: run a program of the prefix (its python, a link script) from a process with many threads and descriptors,
// feed it, keep the end of what it says, and be able to stop it with everything it has started.
// Approach: posix_spawn into its own process group; a socket pair for its input, because writing to a socket can be
// told not to raise SIGPIPE; poll on both ends, waking up every 50 ms to look at the stop flag. The output pipe
// reports the end; a grandchild that keeps it open cannot hold us, since the child's exit is polled as well.
// What must hold: no child is left behind unreaped, on no path out of here.

#include "link/child_process.hpp"

#include <array>
#include <cerrno>
#include <csignal>
#include <utility>

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/filesystem.hpp"

namespace taipan {

namespace {

constexpr int poll_milliseconds = 50;
constexpr int ending_milliseconds = 2; // between the end of its output and its own end
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

/// A child that is running. The destructor kills and reaps it if nobody waited.
class Child {
public:
    explicit Child(pid_t pid) : pid_(pid) {}
    Child(const Child&) = delete;
    Child& operator=(const Child&) = delete;
    ~Child() {
        if (pid_ < 0) return;
        kill_group();
        wait(true);
    }
    void kill_group() const {
        ::kill(-pid_, SIGKILL);
        ::kill(pid_, SIGKILL); // it may not have reached its own group yet
    }
    /// True when it has ended and was reaped.
    bool wait(bool block) {
        while (pid_ >= 0) {
            const pid_t got = ::waitpid(pid_, &status_, block ? 0 : WNOHANG);
            if (got < 0 && errno == EINTR) continue;
            if (got == 0) return false;
            pid_ = -1; // ended; or not our child any more, which counts as ended with status 0
        }
        return true;
    }
    [[nodiscard]] int exit_status() const {
        return WIFSIGNALED(status_) ? 128 + WTERMSIG(status_) : WEXITSTATUS(status_);
    }

private:
    pid_t pid_;
    int status_ = 0;
};

/// Appends what is there; keeps the last `limit` bytes. False at the end of the stream.
bool read_output(int fd, std::string& output, std::size_t limit) {
    std::array<char, 1 << 14> buffer; // NOLINT: filled by read
    const ssize_t got = ::read(fd, buffer.data(), buffer.size());
    if (got < 0) return errno == EINTR || errno == EAGAIN;
    if (got == 0) return false;
    output.append(buffer.data(), static_cast<std::size_t>(got));
    if (output.size() > 2 * limit) output.erase(0, output.size() - limit);
    return true;
}

/// What the child had written when it ended. A grandchild may go on writing: what is in the pipe now is enough.
void drain_output(int fd, std::string& output, std::size_t limit) {
    constexpr int most_reads = 64; // 1 MiB, the largest pipe
    for (int i = 0; i < most_reads; ++i) {
        pollfd ready{fd, POLLIN, 0};
        if (::poll(&ready, 1, 0) <= 0 || !read_output(fd, output, limit)) return;
    }
}

struct Streams {
    UniqueFd input, output; ///< our ends
    UniqueFd child_input, child_output;
};

Result<Streams> make_streams(bool with_input) {
    Streams streams;
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

/// Moves bytes both ways until the child is gone.
Result<void> converse(Child& child, Streams& streams, const ChildCommand& command, std::string& output) {
    std::string_view input = command.input;
    bool reading = true;
    while (true) {
        if (command.stop != nullptr && command.stop->load(std::memory_order_relaxed)) {
            child.kill_group();
            child.wait(true);
            return make_error(ErrorCode::cancelled, command.arguments.front() + " was interrupted");
        }
        std::array<pollfd, 2> watched{
            {{reading ? streams.output.get() : -1, POLLIN, 0}, {streams.input.get(), POLLOUT, 0}}};
        if (!streams.input) watched[1].fd = -1;
        const int timeout = reading ? poll_milliseconds : ending_milliseconds;
        if (::poll(watched.data(), watched.size(), timeout) < 0 && errno != EINTR) {
            return system_error(errno, "cannot wait for", command.arguments.front());
        }
        if (watched[1].revents != 0) {
            const ssize_t sent = ::send(streams.input.get(), input.data(), input.size(), send_flags);
            if (sent > 0) input.remove_prefix(static_cast<std::size_t>(sent));
            const bool broken = sent < 0 && errno != EINTR && errno != EAGAIN;
            if (input.empty() || broken) streams.input.reset(); // the child sees the end of its input
        }
        if (watched[0].revents != 0) {
            reading = read_output(streams.output.get(), output, command.output_limit);
        } else if (child.wait(false)) {
            if (reading) drain_output(streams.output.get(), output, command.output_limit);
            return {};
        }
    }
}

} // namespace

Result<ChildOutput> run_child(const ChildCommand& command) {
    TAIPAN_TRY(Streams streams, make_streams(!command.input.empty()));
    SpawnSettings settings;
    if (const int error =
            settings.prepare(streams.child_input.get(), streams.child_output.get(), command.working_directory)) {
        return system_error(error, "cannot prepare to run", command.arguments.front());
    }
    std::vector<std::string> arguments = command.arguments;
    std::vector<std::string> environment;
    for (const auto& [name, value] : command.environment) environment.push_back(name + '=' + value);
    pid_t pid = -1;
    const int error = ::posix_spawn(&pid, arguments.front().c_str(), settings.actions(), settings.attributes(),
                                    pointers(arguments).data(), pointers(environment).data());
    if (error != 0) return system_error(error, "cannot run", command.arguments.front());
    Child child(pid);
    streams.child_input.reset();
    streams.child_output.reset();

    ChildOutput result;
    TAIPAN_CHECK(converse(child, streams, command, result.output));
    if (result.output.size() > command.output_limit) {
        result.output.erase(0, result.output.size() - command.output_limit);
    }
    result.exit_status = child.exit_status();
    return result;
}

} // namespace taipan
