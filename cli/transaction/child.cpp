#include "transaction/child.hpp"

#include <cerrno>
#include <csignal>
#include <cstring>

#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/filesystem.hpp"

namespace taipan::cli {

namespace {

/// The pointers that exec wants; they point into the strings.
class Words {
public:
    explicit Words(const std::vector<std::string>& words) : words_(words) { point(); }
    explicit Words(const std::map<std::string, std::string>& variables) {
        for (const auto& [name, value] : variables) words_.push_back(name + '=' + value);
        point();
    }
    char* const* data() { return pointers_.data(); }

private:
    void point() {
        for (auto& word : words_) pointers_.push_back(word.data());
        pointers_.push_back(nullptr);
    }
    std::vector<std::string> words_;
    std::vector<char*> pointers_;
};

/// posix_spawn's settings; both objects need freeing.
class SpawnSettings {
public:
    SpawnSettings() { ready_ = ::posix_spawn_file_actions_init(&actions_) == 0; }
    SpawnSettings(const SpawnSettings&) = delete;
    SpawnSettings& operator=(const SpawnSettings&) = delete;
    ~SpawnSettings() {
        if (ready_) ::posix_spawn_file_actions_destroy(&actions_);
    }
    [[nodiscard]] bool ready() const { return ready_; }
    posix_spawn_file_actions_t* actions() { return &actions_; }

private:
    posix_spawn_file_actions_t actions_{};
    bool ready_ = false;
};

} // namespace

Result<int> run_child(const WrappedCommand& command, const std::string& directory, bool output_to_errors,
                      StopSource& stop) {
    const std::string& program = command.arguments.front();
    SpawnSettings settings;
    int failure = settings.ready() ? 0 : ENOMEM;
    if (failure == 0) failure = ::posix_spawn_file_actions_addchdir_np(settings.actions(), directory.c_str());
    if (failure == 0 && output_to_errors) {
        failure = ::posix_spawn_file_actions_adddup2(settings.actions(), STDERR_FILENO, STDOUT_FILENO);
    }
    Words arguments(command.arguments);
    Words variables(command.environment);
    pid_t child = 0;
    if (failure == 0) {
        failure =
            ::posix_spawn(&child, program.c_str(), settings.actions(), nullptr, arguments.data(), variables.data());
    }
    if (failure != 0) return system_error(failure, "cannot start", program);
    int status = 0;
    bool told = false;
    while (::waitpid(child, &status, 0) < 0) {
        if (errno != EINTR) return system_error(errno, "cannot wait for", program);
        if (stop.stop_requested() && !told) {
            told = true;
            static_cast<void>(::kill(child, SIGTERM)); // gone already is fine
        }
    }
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

int replace_process(const WrappedCommand& command) {
    Words arguments(command.arguments);
    Words variables(command.environment);
    ::execve(command.arguments.front().c_str(), arguments.data(), variables.data());
    return errno;
}

} // namespace taipan::cli
