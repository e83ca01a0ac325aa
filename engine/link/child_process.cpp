// Problem: run a program of the prefix (a link script), feed it, keep the end of what it says, and be able to stop it.
// Approach: poll on both ends, waking up every 50 ms to look at the stop flag. The output pipe reports the end; a
// grandchild that keeps it open cannot hold us, since the child's exit is polled as well.

#include "link/child_process.hpp"

#include <array>
#include <cerrno>

#include <poll.h>

#include "link/spawned_child.hpp"

namespace taipan {

namespace {

constexpr int poll_milliseconds = 50;
constexpr int ending_milliseconds = 2; // between the end of its output and its own end

/// What the child had written when it ended. A grandchild may go on writing: what is in the pipe now is enough.
void drain_output(int fd, std::string& output, std::size_t limit) {
    constexpr int most_reads = 64; // 1 MiB, the largest pipe
    for (int i = 0; i < most_reads; ++i) {
        pollfd ready{fd, POLLIN, 0};
        if (::poll(&ready, 1, 0) <= 0 || !read_output(fd, output, limit)) return;
    }
}

/// Moves bytes both ways until the child is gone.
Result<void> converse(SpawnedChild& child, ChildStreams& streams, const ChildCommand& command, std::string& output) {
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
            const bool reads = send_input(streams.input.get(), input);
            if (input.empty() || !reads) streams.input.reset(); // the child sees the end of its input
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
    TAIPAN_TRY(ChildStreams streams, make_child_streams(!command.input.empty()));
    TAIPAN_TRY(SpawnedChild child,
               spawn_child(command.arguments, command.environment, command.working_directory, streams));
    ChildOutput result;
    TAIPAN_CHECK(converse(child, streams, command, result.output));
    if (result.output.size() > command.output_limit) {
        result.output.erase(0, result.output.size() - command.output_limit);
    }
    result.exit_status = child.exit_status();
    return result;
}

} // namespace taipan
