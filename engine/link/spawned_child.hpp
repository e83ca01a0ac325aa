#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include <sys/types.h>

#include "base/filesystem.hpp"
#include "base/result.hpp"

namespace taipan {

/// A running child process in a process group of its own. The destructor kills the group and reaps the child if nobody
/// has waited for it.
class SpawnedChild {
public:
    explicit SpawnedChild(pid_t pid) : pid_(pid) {}
    SpawnedChild(SpawnedChild&& other) noexcept;
    SpawnedChild& operator=(SpawnedChild&&) = delete;
    SpawnedChild(const SpawnedChild&) = delete;
    SpawnedChild& operator=(const SpawnedChild&) = delete;
    ~SpawnedChild();

    /// SIGKILL for it and all it has started.
    void kill_group() const;
    /// True when it has ended and was reaped; `block` waits for that.
    bool wait(bool block);
    /// After it has ended: 128 + signal number when a signal ended it, as shells say.
    [[nodiscard]] int exit_status() const;
    /// After it has ended: the signal that ended it, 0 for none.
    [[nodiscard]] int ending_signal() const;

private:
    pid_t pid_;
    int status_ = 0;
};

/// The descriptors between us and a child. Its input is a socket, because writing to one can be told not to raise
/// SIGPIPE; stdout and stderr are one pipe.
struct ChildStreams {
    UniqueFd input, output; ///< our ends
    UniqueFd child_input, child_output;
};
/// Without `with_input` the child is to read /dev/null.
Result<ChildStreams> make_child_streams(bool with_input);

/// Starts `arguments` (the first is the absolute path of the program) with this complete environment, default signals
/// and none of our other descriptors, and closes the child's ends of the streams here.
Result<SpawnedChild> spawn_child(std::vector<std::string> arguments,
                                 const std::map<std::string, std::string>& environment,
                                 const std::string& working_directory, ChildStreams& streams);

/// Sends as much of `input` as the child takes now and removes it from there. False: the child does not read any more.
bool send_input(int fd, std::string_view& input);
/// Appends what is there; keeps the last `limit` bytes or a few more. False at the end of the stream.
bool read_output(int fd, std::string& output, std::size_t limit);

} // namespace taipan
