#include <cerrno>
#include <cstring>

#include <fcntl.h>
#include <unistd.h>

#include "base/filesystem.hpp"
#include "config/expand.hpp"
#include "prefix/prefix_data.hpp"
#include "requests/target_prefix.hpp"
#include "shell/activation.hpp"
#include "transaction/child.hpp"

// `run`: a program in an environment, without a shell of one's own. This process becomes the program, so that its
// streams, signals and exit code are the program's without any help of ours.

namespace taipan::cli {

namespace {

constexpr int exit_not_executable = 126, exit_not_found = 127;

class Run final : public Command {
public:
    Options options() override {
        const std::string group = "Program";
        Options options = {
            {"command", &command_, "PROGRAM", "the program and its arguments", group},
            {"--cwd", &directory_, "PATH", "directory to run it in", group},
            {"-e,--env", &variables_, "NAME[=VALUE]", "set a variable, or keep one with --clean-env", group},
            {"--clean-env", &clean_, {}, "start without the variables of this process", group},
            {"-a,--attach", &attached_, "STREAM",
             "connect only these of stdin, stdout and stderr, separated by commas; an empty word for none", group},
            {"-d,--detach", &detach_, {}, "leave it running in the background, in a session of its own", group},
            {"-s,--live-stream,--no-capture-output",
             &ignored_,
             {},
             "output is shown as it comes; always so here",
             group},
            {"--label", &label_, "WORD", "accepted; processes are not kept account of", group},
            {"--dev", &ignored_, {}, {}, group},
            {"--debug-wrapper-scripts", &ignored_, {}, {}, group},
            {"-v,--verbose", &verbose_, {}, {}, group},
        };
        append(options, common_.prefix_options());
        append(options, common_.config_options());
        return options;
    }
    [[nodiscard]] bool ends_at_first_word() const override { return true; }
    [[nodiscard]] std::string usage_error() const override {
        if (command_.empty()) return "name the program to run";
        for (const auto& words : attached_) {
            for (const auto& word : split_list(words, ',')) {
                if (word == "stdin" || word == "stdout" || word == "stderr") continue;
                return "'" + word + "' cannot be attached; there are stdin, stdout and stderr";
            }
        }
        return common_.usage_error();
    }

    Result<int> run(Invocation& invocation) override {
        TAIPAN_TRY(auto config, load_settings(invocation, common_));
        TAIPAN_TRY(const auto prefix, resolve_target(invocation, common_, config, WithoutTarget::active_or_root));
        // mamba's root prefix is one to run in, environment or not.
        const bool of_mamba = as_mamba(invocation.role());
        if (of_mamba && prefix != config.root_prefix && !exists(prefix)) {
            return make_error(ErrorCode::environment_not_found, "The given prefix does not exist: " + prefix);
        }
        if (!of_mamba || prefix != config.root_prefix) TAIPAN_CHECK(require_environment(prefix));
        choose_variables(config);
        TAIPAN_TRY(const auto plan, plan_activation(prefix, config));
        // As conda has it: one argument of several lines is a script.
        if (command_.size() == 1 && command_.front().find('\n') != std::string::npos) {
            command_ = {"bash", "-c", command_.front()};
        }
        const auto wrapped = wrap_command(plan, command_, config.environment);
        if (!directory_.empty()) {
            const auto directory = absolute_path(expand_home(directory_, config.home), config.working_directory);
            if (of_mamba && !is_directory(directory)) {
                return make_error(ErrorCode::io, "The given path does not exist: " + directory);
            }
            if (::chdir(directory.c_str()) != 0) return system_error(errno, "cannot change to", directory);
        }
        TAIPAN_CHECK(invocation.console.flush());
        if (!attached_.empty() && !detach_) TAIPAN_CHECK(silence_streams());
        if (detach_) return run_detached(invocation, wrapped, prefix);
        return report_failure(invocation, wrapped, prefix, replace_process(wrapped));
    }

private:
    static int report_failure(Invocation& invocation, const WrappedCommand& wrapped, const std::string& prefix,
                              int failure) {
        const auto& program = wrapped.arguments.front();
        const bool missing = failure == ENOENT && !exists(program);
        invocation.console.print_error("taipan run: cannot run " + program + " in " + prefix + ": " +
                                       (missing ? "there is no such program there" : std::strerror(failure)) + "\n");
        return missing ? exit_not_found : exit_not_executable;
    }

    /// Streams that are not attached lead nowhere. So do our own messages then.
    Result<void> silence_streams() const {
        bool keep[3] = {false, false, false};
        for (const auto& words : attached_) {
            for (const auto& word : split_list(words, ',')) {
                keep[word == "stdin" ? 0 : word == "stdout" ? 1 : 2] = true;
            }
        }
        const UniqueFd nowhere(::open("/dev/null", O_RDWR | O_CLOEXEC));
        if (!nowhere) return system_error(errno, "cannot open", "/dev/null");
        for (int stream = 0; stream < 3; ++stream) {
            if (!keep[stream] && ::dup2(nowhere.get(), stream) < 0) {
                return system_error(errno, "cannot redirect a stream to", "/dev/null");
            }
        }
        return {};
    }

    /// As in micromamba, the program has no streams of ours but those that `-a` names: whoever waits for the end of our
    /// output does not wait for it. The child tells through a pipe why it could not become the program; exec closes the
    /// pipe.
    Result<int> run_detached(Invocation& invocation, const WrappedCommand& wrapped, const std::string& prefix) const {
        if (as_mamba(invocation.role())) {
            std::string words;
            for (const auto& word : command_) words += word + ' ';
            invocation.console.print("Running wrapped script exec " + words + "in the background\n\n");
            TAIPAN_CHECK(invocation.console.flush());
        }
        int ends[2] = {-1, -1};
        if (::pipe2(ends, O_CLOEXEC) != 0) return system_error(errno, "cannot make a pipe for", "the program");
        const UniqueFd reading(ends[0]);
        UniqueFd writing(ends[1]);
        const pid_t child = ::fork();
        if (child < 0) return system_error(errno, "cannot start a process for", wrapped.arguments.front());
        if (child == 0) {
            static_cast<void>(::setsid()); // a new process leads no group yet, so this works
            const int failure = silence_streams() ? replace_process(wrapped) : errno;
            static_cast<void>(!::write(writing.get(), &failure, sizeof failure)); // the parent is gone: nobody to tell
            ::_exit(exit_not_executable);
        }
        writing.reset();
        int failure = 0;
        ssize_t length = 0;
        do {
            length = ::read(reading.get(), &failure, sizeof failure);
        } while (length < 0 && errno == EINTR);
        if (length != sizeof failure) return exit_success;
        const int code = report_failure(invocation, wrapped, prefix, failure);
        return as_mamba(invocation.role()) ? exit_success : code; // mamba does not wait to see what comes of it
    }

    void choose_variables(Config& config) const {
        const auto before = config.environment;
        if (clean_) config.environment.clear();
        for (const auto& variable : variables_) {
            const auto mark = variable.find('=');
            const auto name = variable.substr(0, mark);
            if (mark != std::string::npos)
                config.environment.insert_or_assign(name, variable.substr(mark + 1));
            else if (const auto found = before.find(name); found != before.end())
                config.environment.insert(*found);
        }
        // Without any PATH not even the shell of an activation script's `ls` would be found.
        if (clean_) config.environment.emplace("PATH", "/usr/local/bin:/usr/bin:/bin");
    }

    CommonOptions common_;
    std::vector<std::string> command_, variables_, attached_;
    std::string directory_, label_;
    bool clean_ = false, detach_ = false, ignored_ = false;
    int verbose_ = 0;
};

} // namespace

std::unique_ptr<Command> make_run() { return std::make_unique<Run>(); }

} // namespace taipan::cli
