#include <cerrno>
#include <cstring>

#include "base/filesystem.hpp"
#include "prefix/prefix_data.hpp"
#include "requests/target_prefix.hpp"
#include "shell/shell_hook.hpp"
#include "shell/shell_session.hpp"
#include "transaction/child.hpp"

// `activate` and `deactivate` typed where there is no shell function, `shell` (another shell in an environment), and
// `shell hook|activate|deactivate|reactivate`, which write statements for the shell.

namespace taipan::cli {

namespace {

const std::string shell_group = "Shell";

Result<Shell> chosen_shell(const Invocation& invocation, const std::string& name) {
    return name.empty() ? guess_shell(invocation.environment) : find_shell(name);
}

/// What all commands that write for a shell take.
class ShellTextCommand : public Command {
public:
    [[nodiscard]] std::string usage_error() const override { return common_.usage_error(); }

protected:
    Options shell_options() {
        Options options = {
            {"-s,--shell", &shell_, "SHELL", "the shell to write for; else the one that this is called from",
             shell_group},
            {"-r,--root-prefix", &common_.root_prefix, "PATH",
             "where environments and packages are kept (MAMBA_ROOT_PREFIX)", "Environment"},
        };
        append(options, common_.config_options());
        append(options, quiet_options());
        return options;
    }
    Options quiet_options() {
        return {{"-q,--quiet", &common_.quiet, {}, {}, shell_group},
                {"-v,--verbose", &common_.verbose, {}, {}, shell_group},
                {"-y,--yes", &common_.yes, {}, {}, shell_group}};
    }
    std::string shell_;
    CommonOptions common_;
};

class ShellHook final : public ShellTextCommand {
public:
    Options options() override {
        Options options = shell_options();
        append(options, {{"root_prefix", &common_.root_prefix, "ROOT_PREFIX", "the same as -r", "Environment"},
                         {"-p,--prefix", &common_.root_prefix, "PATH", {}, "Environment"}, // mamba 1
                         {"--json", &common_.json, {}, "in one JSON document, under actions.print", shell_group}});
        return options;
    }
    [[nodiscard]] bool wants_json() const override { return common_.json.value_or(false); }
    Result<int> run(Invocation& invocation) override {
        TAIPAN_TRY(const auto config, load_settings(invocation, common_));
        TAIPAN_TRY(const auto shell, chosen_shell(invocation, shell_));
        return print_hook(invocation, config, shell, wants_json());
    }
};

class ShellActivate final : public ShellTextCommand {
public:
    Options options() override {
        Options options = {
            {"environment", &environment_, "NAME_OR_PATH", "the environment; `base` when left out", "Environment"},
            {"-n,--name", &common_.name, "NAME", "its name", "Environment"},
            {"-p,--prefix", &common_.prefix, "PATH", "its path", "Environment"},
            {"--stack", &stack_, {}, "keep the active environment on PATH, below this one", shell_group},
            {"--no-stack", &no_stack_, {}, "replace the active environment, whatever auto_stack says", shell_group}};
        append(options, shell_options());
        return options;
    }
    [[nodiscard]] std::string usage_error() const override {
        if (stack_ && no_stack_) return "--stack and --no-stack exclude each other";
        if (!environment_.empty() && !(common_.name.empty() && common_.prefix.empty())) {
            return "say which environment once: as a word, with -n or with -p";
        }
        return common_.usage_error();
    }
    [[nodiscard]] std::string_view error_name(ErrorCode code) const override {
        return activation_error_name(environment_, code);
    }
    Result<int> run(Invocation& invocation) override {
        TAIPAN_TRY(const auto config, load_settings(invocation, common_));
        TAIPAN_TRY(auto shell, chosen_shell(invocation, shell_));
        if (!common_.name.empty()) environment_ = common_.name;
        if (!common_.prefix.empty()) environment_ = absolute_path(common_.prefix, config.working_directory);
        return print_activation(invocation, config, ShellAction::activate,
                                {std::move(shell), false, stack_, no_stack_, environment_});
    }

private:
    std::string environment_;
    bool stack_ = false, no_stack_ = false;
};

class ShellLeave final : public ShellTextCommand {
public:
    explicit ShellLeave(ShellAction action) : action_(action) {}
    Options options() override { return shell_options(); }
    Result<int> run(Invocation& invocation) override {
        TAIPAN_TRY(const auto config, load_settings(invocation, common_));
        TAIPAN_TRY(auto shell, chosen_shell(invocation, shell_));
        return print_activation(invocation, config, action_, {std::move(shell), false, false, false, {}});
    }

private:
    ShellAction action_;
};

/// `taipan activate` reached the program: there is no shell function, which alone can change the shell.
class WithoutFunction final : public Command {
public:
    explicit WithoutFunction(std::string name) : name_(std::move(name)) {}
    Options options() override {
        Options options = {{"environment", &words_, "NAME_OR_PATH", {}, shell_group}};
        if (name_ == "activate") {
            options.front().help = "the environment; `base` when left out";
            append(
                options,
                {{"-n,--name", &words_, "NAME", "its name", shell_group},
                 {"-p,--prefix", &words_, "PATH", "its path", shell_group},
                 {"--stack", &flag_, {}, "keep the active environment on PATH, below this one", shell_group},
                 {"--no-stack", &flag_, {}, "replace the active environment, whatever auto_stack says", shell_group}});
        }
        return options;
    }
    [[nodiscard]] std::string_view error_name(ErrorCode) const override { return "CondaError"; }
    Result<int> run(Invocation& invocation) override {
        const std::string program(role_name(invocation.role()));
        const auto shell = guess_shell(invocation.environment);
        const std::string name = shell ? shell->name : "bash";
        return make_error(ErrorCode::invalid_argument,
                          "Run '" + program + " init' before '" + program + " " + name_ +
                              "'.\nA program cannot change the variables of the shell that it is started from; a "
                              "function of the shell can. To have it\n  in every new shell:  " +
                              program + " init " + name + "\n  in this one:          " +
                              (name == "fish" ? program + " shell hook -s fish | source"
                                              : "eval \"$(" + program + " shell hook -s " + name + ")\"") +
                              "\nTo run one program in an environment, `" + program + " run` needs no shell.");
    }

private:
    std::string name_;
    std::vector<std::string> words_;
    bool flag_ = false;
};

/// `completion bash`: for packages of systems and for people who do not load the hook.
class CompletionText final : public Command {
public:
    Options options() override { return {{"shell", &shell_, "SHELL", "bash, zsh or fish", shell_group}}; }
    [[nodiscard]] std::string usage_error() const override {
        return shell_.empty() ? "name the shell: bash, zsh or fish" : std::string();
    }
    Result<int> run(Invocation& invocation) override {
        HookRequest request;
        TAIPAN_TRY(request.shell, find_shell(shell_));
        request.role = invocation.role();
        const auto text = completion_text(request);
        if (text.empty()) {
            return make_error(ErrorCode::invalid_argument,
                              "there is no completion for " + shell_ + "; there is for bash, zsh and fish");
        }
        invocation.console.print(text);
        return exit_success;
    }

private:
    std::string shell_;
};

/// `taipan shell -n NAME`: a shell that is in the environment until it ends.
class InteractiveShell final : public Command {
public:
    Options options() override {
        Options options = {
            {"environment", &environment_, "NAME_OR_PATH", "the environment; `base` when left out", "Environment"}};
        append(options, common_.prefix_options());
        append(options, common_.config_options());
        return options;
    }
    [[nodiscard]] std::string usage_error() const override { return common_.usage_error(); }
    Result<int> run(Invocation& invocation) override {
        TAIPAN_TRY(const auto config, load_settings(invocation, common_));
        if (!common_.name.empty()) environment_ = common_.name;
        if (!common_.prefix.empty()) environment_ = absolute_path(common_.prefix, config.working_directory);
        TAIPAN_TRY(const auto prefix,
                   resolve_activation(environment_.empty() ? config.default_activation_env : environment_, config));
        TAIPAN_TRY(const auto plan, plan_activation(prefix, config));
        auto program = invocation.variable("SHELL");
        if (program.empty()) program = "bash";
        const auto wrapped = wrap_command(plan, {program}, config.environment);
        TAIPAN_CHECK(invocation.console.flush());
        return system_error(replace_process(wrapped), "cannot start the shell", program);
    }

private:
    CommonOptions common_;
    std::string environment_;
};

} // namespace

std::unique_ptr<Command> make_activate() { return std::make_unique<WithoutFunction>("activate"); }
std::unique_ptr<Command> make_deactivate() { return std::make_unique<WithoutFunction>("deactivate"); }
std::unique_ptr<Command> make_completion() { return std::make_unique<CompletionText>(); }
std::unique_ptr<Command> make_shell() { return std::make_unique<InteractiveShell>(); }
std::unique_ptr<Command> make_shell_hook() { return std::make_unique<ShellHook>(); }
std::unique_ptr<Command> make_shell_activate() { return std::make_unique<ShellActivate>(); }
std::unique_ptr<Command> make_shell_deactivate() { return std::make_unique<ShellLeave>(ShellAction::deactivate); }
std::unique_ptr<Command> make_shell_reactivate() { return std::make_unique<ShellLeave>(ShellAction::reactivate); }

} // namespace taipan::cli
