#include <cerrno>
#include <cstring>

#include <unistd.h>

#include "activation.hpp"
#include "base/filesystem.hpp"
#include "child.hpp"
#include "config/expand.hpp"
#include "prefix/prefix_data.hpp"
#include "target_prefix.hpp"

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
            {"-s,--live-stream,--no-capture-output", &live_, {}, "output is shown as it comes; always so here", group},
            {"-v,--verbose", &verbose_, {}, {}, group},
        };
        append(options, common_.prefix_options());
        append(options, common_.config_options());
        return options;
    }
    [[nodiscard]] bool ends_at_first_word() const override { return true; }
    [[nodiscard]] std::string usage_error() const override {
        if (command_.empty()) return "name the program to run";
        return common_.usage_error();
    }

    Result<int> run(Invocation& invocation) override {
        TAIPAN_TRY(auto config, load_settings(invocation, common_));
        TAIPAN_TRY(const auto prefix, resolve_target(invocation, common_, config, WithoutTarget::active_or_root));
        TAIPAN_CHECK(require_environment(prefix));
        choose_variables(config);
        TAIPAN_TRY(const auto plan, plan_activation(prefix, config));
        const auto wrapped = wrap_command(plan, command_, config.environment);
        if (!directory_.empty()) {
            const auto directory = absolute_path(expand_home(directory_, config.home), config.working_directory);
            if (::chdir(directory.c_str()) != 0) return system_error(errno, "cannot change to", directory);
        }
        TAIPAN_CHECK(invocation.console.flush());
        const int failure = replace_process(wrapped);
        const auto& program = wrapped.arguments.front();
        const bool missing = failure == ENOENT && !exists(program);
        invocation.console.print_error("taipan run: cannot run " + program + " in " + prefix + ": " +
                                       (missing ? "there is no such program there" : std::strerror(failure)) + "\n");
        return missing ? exit_not_found : exit_not_executable;
    }

private:
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
    std::vector<std::string> command_, variables_;
    std::string directory_;
    bool clean_ = false, live_ = false;
    int verbose_ = 0;
};

} // namespace

std::unique_ptr<Command> make_run() { return std::make_unique<Run>(); }

} // namespace taipan::cli
